import { describe, expect, it } from 'vitest';
import { type Import, type Source, sources } from './support/sources.ts';

const all = sources();

/** A folder of src, or a file in src itself without its ending. */
type Part = string;

/** Who may import whom; a part may always import itself. `type:` allows types only. */
const MAY_IMPORT: Readonly<Record<Part, readonly string[]>> = {
  errors: [],
  net: [],
  nearest: [],
  'shell-word': [],
  duration: ['errors'],
  host: ['errors', 'net'],
  kube: ['errors', 'net', 'host', 'type:store'],
  store: ['errors', 'net', 'host', 'kube', 'generated'],
  firewall: ['errors', 'net', 'shell-word'],
  dataplane: ['errors', 'net', 'host', 'type:store'],
  probe: ['errors', 'net', 'host'],
  facts: ['errors', 'net', 'host', 'store', 'kube', 'dataplane', 'probe', 'firewall'],
  doctor: ['errors', 'net', 'host', 'dataplane', 'facts', 'nearest', 'shell-word'],
  leases: ['errors', 'net', 'store', 'host', 'probe'],
  checks: ['net', 'dataplane', 'facts', 'leases', 'doctor', 'firewall', 'shell-word', 'type:store'],
  agent: ['errors', 'net', 'host', 'store', 'kube', 'dataplane', 'leases', 'facts', 'probe', 'shell-word'],
  bundle: ['errors', 'host', 'facts'],
  drill: ['errors', 'net', 'host', 'store', 'dataplane', 'doctor', 'firewall'],
  render: ['type:*'],
  wire: ['errors', 'net', 'host', 'kube', 'store', 'bundle', 'fact-environment', 'wire', 'type:*'],
};

/** Commands and the files of src that serve them alone: all but checks, which they get from the registry, and adapters. */
const FRONT = ['agent', 'bundle', 'dataplane', 'doctor', 'drill', 'duration', 'errors', 'facts', 'generated', 'leases'];
const FRONT_TOO = [
  'nearest',
  'net',
  'probe',
  'render',
  'shell-word',
  'type:host',
  'type:kube',
  'store',
  'wire',
  '../package.json',
];

/** Files that speak with something outside; everybody else gets them through a port. */
const ADAPTER = /^(host\/(live|system-clock)|store\/etcd|kube\/client|render\/tty)/;
/** wire.ts and the files that open a world of another kind for it: recorded, recording. */
const WIRE = /^(wire|[a-z]+-world)\.ts$/;
const SPEAKS_WITH_PROCESS = /^(wire|base-command|cli|stand-in)\.ts$/;

const PACKAGE_ONLY_IN: Readonly<Record<string, RegExp>> = {
  execa: /^host\/live/,
  etcd3: /^store\/etcd/,
  'etcd3/lib/rpc.js': /^store\/etcd/,
  'protobufjs/light.js': /^store\/etcd/,
  '@kubernetes/client-node': /^kube\/client/,
  undici: /^kube\/client/,
  chalk: /^render\//,
  'fastest-levenshtein': /^nearest\.ts$/,
  'ip-address': /^net\//,
  '@oclif/core': /^(commands\/.*|[a-z-]+\.ts)$/,
};

const OF_THE_MACHINE =
  /^node:(fs|child_process|net|dgram|dns|http|https|tls|os|process|timers|worker_threads|readline)(\/|$)/;
const CLOCK =
  /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bset(Timeout|Interval|Immediate)\(|\bAbortSignal\.timeout\(/;
/** Node's own `process`, by what only that one has: elsewhere it is a name like any other. */
const PROCESS =
  /(?<![.\w])process\.(env|exit|exitCode|on|once|off|stdin|stdout|stderr|kill|cwd|getuid|execPath|versions?|nextTick)\b/;

describe('the house', () => {
  it('lets a folder import only those that its row of the table names', () => {
    expect(violations(({ ours, ...link }, { file }) => ours && !mayImport(partOf(file), link))).toEqual([]);
  });

  it('has no check that imports another check', () => {
    const isCheck = (file: string) => file.startsWith('checks/');
    expect(violations(({ ours, target }, { file }) => ours && isCheck(file) && isCheck(target))).toEqual([]);
  });

  it('lets nobody but wire pick an adapter', () => {
    const picks = ({ target, typeOnly }: Import, { file }: Source) =>
      ADAPTER.test(target) && !typeOnly && !WIRE.test(file) && !ADAPTER.test(file) && !file.startsWith('render/');
    expect(violations(picks)).toEqual([]);
  });

  it('keeps each outside library behind the one adapter that speaks for it', () => {
    expect(violations(({ target }, { file }) => PACKAGE_ONLY_IN[target]?.test(file) === false)).toEqual([]);
  });

  it('reaches for files, processes and sockets only in adapters', () => {
    const reaches = ({ target }: Import, { file }: Source) =>
      OF_THE_MACHINE.test(target) &&
      !ADAPTER.test(file) &&
      !SPEAKS_WITH_PROCESS.test(file) &&
      !isOnlyIsIp(file, target);
    expect(violations(reaches)).toEqual([]);
  });

  it('reads clock, timers and process only in adapters', () => {
    const files = all.filter(({ file }) => !ADAPTER.test(file) && !SPEAKS_WITH_PROCESS.test(file));
    expect(files.flatMap(({ file, code }) => [...found(file, code, CLOCK), ...found(file, code, PROCESS)])).toEqual([]);
  });

  it('loads adapters only when they are chosen', () => {
    const eager = /^import (?!type)[^;]*'\.\/(store|kube|host)\/(etcd|client|live)/m;
    expect(all.filter(({ file, code }) => WIRE.test(file) && eager.test(code))).toEqual([]);
  });

  it('has no file over 250 lines', () => {
    expect(all.filter(({ lines }) => lines > 250).map(({ file, lines }) => `${file}: ${lines}`)).toEqual([]);
  });

  it('has no command over 60 lines', () => {
    const commands = all.filter(({ file, lines }) => file.startsWith('commands/') && lines > 60);
    expect(commands.map(({ file, lines }) => `${file}: ${lines}`)).toEqual([]);
  });
});

function violations(isViolation: (link: Import, source: Source) => boolean): readonly string[] {
  return all.flatMap((source) =>
    source.imports.filter((link) => isViolation(link, source)).map(({ target }) => `${source.file} → ${target}`),
  );
}

/** net takes `isIP` from there, which opens nothing. */
function isOnlyIsIp(file: string, target: string): boolean {
  return file.startsWith('net/') && target === 'node:net';
}

function mayImport(from: Part, { target, typeOnly }: Pick<Import, 'target' | 'typeOnly'>): boolean {
  const to = partOf(target);
  const allowed = MAY_IMPORT[WIRE.test(`${from}.ts`) ? 'wire' : from] ?? [...FRONT, ...FRONT_TOO];
  if (from === to || allowed.includes(to) || isFront(from, to)) return true;
  return typeOnly && (allowed.includes(`type:${to}`) || allowed.includes('type:*'));
}

/** Files of src that serve the commands may import each other. */
function isFront(from: Part, to: Part): boolean {
  return MAY_IMPORT[from] === undefined && all.some(({ file }) => file === `${to}.ts`);
}

function partOf(file: string): Part {
  if (file.startsWith('..')) return file;
  return file.includes('/') ? (file.split('/')[0] ?? '') : file.replace(/\.ts$/, '');
}

function found(file: string, code: string, pattern: RegExp): readonly string[] {
  const match = pattern.exec(code);
  return match === null ? [] : [`${file}: ${match[0]}`];
}
