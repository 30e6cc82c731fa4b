import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { type SmallEtcd, startSmallEtcd } from './small-etcd.ts';

// Runs the chunks of the folder given as argument under the executable's own Node, then writes V8's cache of each beside it.
// Running first matters: a cache holds only the functions that have been compiled by then.

interface Cli {
  main(argv: readonly string[]): Promise<void>;
}
type Evaluate = (module: object, require: (id: string) => unknown) => object;

const LIGHT_COMMANDS = [['version', '-o', 'json'], ['checks'], ['checks', '--help'], ['--help'], ['no-such-command']];
/** A healthy node as it was recorded, and a datastore that refuses: what a doctor compiles, without asking anything of this machine's network. */
const RECORDING = join(import.meta.dirname, '../../test/scenarios/healthy-etcd.json');
const DOCTOR = ['doctor', '--replay', RECORDING, '-o'];
const DOCTOR_COMMANDS = [
  [...DOCTOR, 'json'],
  [...DOCTOR, 'text', '--probe', 'passive'],
  ['doctor', '--probe', 'passive', '--timeout', '2s', '--etcd-endpoints', 'http://127.0.0.1:1'],
];

const builtin = createRequire('file:///');
const folder = process.argv[2] ?? '';
const scripts = new Map<string, Script>();
const loaded = new Map<string, { exports: object }>();

const cli: Cli = requireFrom('./cli.cjs');
const etcd = await startSmallEtcd();
for (const argv of [...LIGHT_COMMANDS, ...DOCTOR_COMMANDS, ...leaseCommands(etcd)]) await cli.main(argv);
etcd.close();
for (const name of globSync('*.cjs', { cwd: folder })) requireFrom(`./${name}`);
for (const [name, script] of scripts) writeFileSync(join(folder, `${name}.cache`), script.createCachedData());
process.exit(0);

function leaseCommands({ endpoint }: SmallEtcd): readonly string[][] {
  const list = ['leases', 'list', '--etcd-endpoints', endpoint];
  return [list, [...list, '--no-ttl'], [...list, '-o', 'json'], ['leases', 'prune', '--dry-run', ...list.slice(2)]];
}

// biome-ignore lint/suspicious/noExplicitAny: what a module exports is known to who requires it
function requireFrom(id: string): any {
  if (!id.startsWith('./')) return builtin(id);
  const name = id.slice(2);
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  loaded.set(name, module);
  const script = new Script(readFileSync(join(folder, name), 'latin1'), { filename: name });
  scripts.set(name, script);
  const evaluate: Evaluate = script.runInThisContext();
  return evaluate(module, requireFrom);
}
