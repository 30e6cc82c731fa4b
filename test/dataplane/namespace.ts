import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Argv, Host, HostWriter } from '../../src/host/host.ts';
import { liveHost, liveWriter } from '../../src/host/live.ts';

/** A network namespace of the test's own, with the host's ports speaking of it. */
export interface Namespace {
  readonly name: string;
  readonly host: Host;
  readonly writer: HostWriter;
  /** A directory of the test's own. */
  readonly directory: string;
  /** Standard output of a command line split at blanks; fails the test when it fails. */
  run(line: string): Promise<string>;
  remove(): Promise<void>;
}

const live = liveHost({ root: '/' });

export async function makeNamespace(): Promise<Namespace> {
  const name = `fctl-${randomBytes(4).toString('hex')}`;
  await must(['ip', 'netns', 'add', name]);
  const directory = await mkdtemp(join(tmpdir(), 'fctl-'));
  const inside = (argv: Argv): Argv => ['ip', 'netns', 'exec', name, ...argv];
  const writer = liveWriter({ root: '/' });
  const namespace: Namespace = {
    name,
    directory,
    host: { ...live, exec: (argv, options) => live.exec(inside(argv), options) },
    writer: {
      ...writer,
      run: (argv, options) => writer.run(inside(argv), options),
      writeSysctl: async () => undefined,
    },
    run: (line) => {
      const [program = '', ...args] = line.split(' ');
      return must(inside([program, ...args]));
    },
    remove: async () => {
      await must(['ip', 'netns', 'del', name]);
      await rm(directory, { recursive: true, force: true });
    },
  };
  await namespace.run('ip link set lo up');
  return namespace;
}

/** A namespace with an underlay `u0` that leads nowhere: 192.168.9.1/24 and fd00:9::1/64, MTU 1500. */
export async function makeNode(): Promise<Namespace> {
  const node = await makeNamespace();
  await node.run('ip link add u0 type veth peer name u1');
  for (const device of ['u0', 'u1']) await node.run(`ip link set ${device} up`);
  await node.run('ip addr add 192.168.9.1/24 dev u0');
  await node.run('ip addr add fd00:9::1/64 dev u0 nodad');
  return node;
}

async function must(argv: Argv): Promise<string> {
  const { exitCode, stdout, stderr } = await live.exec(argv);
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout;
}
