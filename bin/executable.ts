import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { basename } from 'node:path';
import { getRawAsset } from 'node:sea';
import { Script } from 'node:vm';

// Main of the executable: answers for the version itself, and loads all else from the chunks it carries.

interface Cli {
  main(argv: readonly string[]): Promise<void>;
}
interface StandIn {
  runStandIn(argv: readonly string[]): Promise<void>;
}
type Require = (id: string) => unknown;
type Evaluate<T> = (module: { exports: object }, require: Require) => T;

/** Set by the build: `flannelctl/0.1.0 linux-x64`. */
declare const USER_AGENT: string;

const builtin = createRequire('file:///');
const loaded = new Map<string, { exports: object }>();

guardEnvironment();
start(process.argv.slice(2));

function start(argv: readonly string[]): void {
  if (basename(process.argv0) === 'flanneld') void entry<StandIn>('stand-in.cjs').runStandIn(argv);
  else if (argv.length === 1 && (argv[0] === 'version' || argv[0] === '--version')) printVersion();
  else void entry<Cli>('cli.cjs').main(argv);
}

/** What Node's TLS would obey, and a uid without a passwd entry, where os.userInfo() throws while oclif loads. */
function guardEnvironment(): void {
  const { env } = process;
  delete env['NODE_TLS_REJECT_UNAUTHORIZED'];
  if (env['HOME'] && env['SHELL']) return;
  try {
    userInfo();
  } catch {
    env['HOME'] ||= '/';
    env['SHELL'] ||= '/bin/sh';
  }
}

/** Past process.stdout, whose streams cost as much time as the whole answer. */
function printVersion(): void {
  try {
    writeSync(1, `${USER_AGENT} node-${process.version}\n`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return;
    process.exitCode = 73;
    process.stderr.write(`Error: the output cannot be written: ${error instanceof Error ? error.message : error}\n`);
  }
}

/** Evaluates the chunk that the program starts with; its exports are those of the source file. */
function entry<T>(name: string): T {
  const module = { exports: {} };
  loaded.set(name, module);
  const evaluate: Evaluate<T> = compile(name).runInThisContext();
  return evaluate(module, requireFrom);
}

/** A chunk of ours when it starts with a dot, else a module of Node: nothing is ever read from disk. */
function requireFrom(id: string): unknown {
  if (!id.startsWith('./')) return builtin(id);
  const name = id.slice(2);
  return loaded.get(name)?.exports ?? entry(name);
}

function compile(name: string): Script {
  const source = Buffer.from(getRawAsset(name)).toString('latin1');
  return new Script(source, { filename: name, cachedData: Buffer.from(getRawAsset(`${name}.cache`)) });
}
