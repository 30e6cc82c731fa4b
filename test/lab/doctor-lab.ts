import { spawnSync } from 'node:child_process';
import { spawn as spawnOnTerminal } from '@lydell/node-pty';
import type { DoctorReport } from '../../src/doctor/report.ts';
import type { DrillNode } from '../../src/drill/fault.ts';
import { NODE_BIN } from '../../src/drill/layout.ts';
import type { Argv } from '../../src/host/host.ts';
import { type Lab, nodeOf, PROGRAM } from './drill-lab.ts';

/** Where the executable is in a node. */
export const EXECUTABLE = `${NODE_BIN}/flannelctl`;

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `flannelctl` in a node, with root's rights and hardly an environment. */
export async function flannelctl(node: DrillNode, ...words: readonly string[]): Promise<Ended> {
  return inNode(node, [EXECUTABLE, ...words]);
}

export async function inNode(node: DrillNode, argv: Argv, input?: string): Promise<Ended> {
  return node.exec(argv, { timeoutMs: 30_000, ...(input === undefined ? {} : { input }) });
}

/** A line of shell in a node. */
export async function shell(node: DrillNode, script: string): Promise<Ended> {
  return inNode(node, ['sh', '-c', `PATH=${NODE_BIN}:$PATH; ${script}`]);
}

/** The report of `doctor -o json`, which must be all that is on standard output. */
export async function report(node: DrillNode, ...words: readonly string[]): Promise<DoctorReport> {
  return document(await flannelctl(node, 'doctor', '-o', 'json', ...words));
}

export function document({ stdout }: Pick<Ended, 'stdout'>): DoctorReport {
  const parsed: DoctorReport = JSON.parse(stdout);
  return parsed;
}

export function rootsOf({ rootCauses }: DoctorReport): readonly string[] {
  return rootCauses.map(({ id }) => id);
}

/** On this machine, where nothing but the executable is of interest. */
export function onMachine(words: readonly string[], input = ''): Ended {
  const { status, stdout, stderr } = spawnSync(PROGRAM, words, { input, encoding: 'utf8', env: {}, timeout: 30_000 });
  return { exitCode: status ?? -1, stdout, stderr };
}

export interface Typed {
  readonly exitCode: number;
  /** All that came to the terminal. */
  readonly raw: string;
  /** The same, colours and motion left out. */
  readonly screen: string;
}

export interface Typing {
  /** What is waited for before `keys` are typed. */
  readonly prompt: string;
  readonly keys: string | Promise<string>;
  /** Default `xterm`. */
  readonly term?: string;
}

/** In the first node, on a terminal of 80 columns. */
export function onTerminal(
  lab: Lab,
  words: readonly string[],
  { prompt, keys, term = 'xterm' }: Typing,
): Promise<Typed> {
  const argv = ['drill', 'exec', '1', '--tag', lab.record.tag, '--', 'flannelctl', ...words];
  const env = { TERM: term, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  const terminal = spawnOnTerminal(PROGRAM, argv, { cols: 80, rows: 40, env });
  let raw = '';
  let isTyped = false;
  terminal.onData(async (data) => {
    raw += data;
    if (isTyped || !raw.includes(prompt)) return;
    isTyped = true;
    terminal.write(await keys);
  });
  return new Promise((resolve) => {
    terminal.onExit(({ exitCode }) => resolve({ exitCode, raw, screen: withoutMotion(raw) }));
  });
}

/** Colours, cursor movements, and the line of progress that is overwritten. */
function withoutMotion(screen: string): string {
  const text = screen.replaceAll('\r\n', '\n').replace(ESCAPE, '');
  return text.replace(/^.*\r/gm, '');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that terminals obey
const ESCAPE = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** What no output may hold unless it was asked for: a trace of the stack, or a character that paints the terminal. */
export const TRACE = /^\s+at .+:\d+:\d+\)?$/m;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that terminals obey
export const PAINT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

/** The value of a lease, written past all our own rules. */
export async function putLease(lab: Lab, key: string, value: string): Promise<void> {
  const path = `/run/flannelctl/drill/${lab.record.tag}/store/leases.json`;
  await changeStore(path, lab, (store) => {
    store.records[key] = { value, modRevision: 99, expiresAt: Date.now() + 86_000_000 };
  });
}

/** The network configuration, as bad as it is. */
export async function putConfig(lab: Lab, value: string): Promise<void> {
  const path = `/run/flannelctl/drill/${lab.record.tag}/store/leases.json`;
  await changeStore(path, lab, (store) => {
    store.config = { value, modRevision: 98 };
  });
}

interface StoreDocument {
  config: object;
  readonly records: Record<string, object>;
}

async function changeStore(path: string, { tools }: Lab, change: (store: StoreDocument) => void): Promise<void> {
  const store: StoreDocument = JSON.parse(await tools.host.readFile(path, { maxBytes: 64 * 1024 * 1024 }));
  change(store);
  await tools.writer.writeFile(path, JSON.stringify(store), { mode: 0o600 });
}

/** The first node, which the tests look at. */
export function first(lab: Lab): DrillNode {
  return nodeOf(lab, 1);
}
