import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeNamespace, type Namespace } from '../dataplane/namespace.ts';

/** Runs flannelctl as it stands in src. */
export const CLI = fileURLToPath(new URL('cli.ts', import.meta.url));
const CONFIG = { Network: '10.244.0.0/16', Backend: { Type: 'vxlan' } };

/** Nodes on one switch with a real etcd behind it, each node in a network namespace of its own. */
export interface Lab {
  readonly nodes: readonly LabNode[];
  /** The switch br0 (192.168.9.254, where node N is plugged in as pN), with etcd: a host that knows nothing of the overlay. */
  readonly hub: Namespace;
  /** etcdctl against the lab's etcd, arguments split at blanks. */
  etcdctl(line: string): Promise<string>;
  put(key: string, value: object): Promise<void>;
  /** SIGSTOP or SIGCONT: etcd does not answer, and then does again. */
  signalEtcd(signal: 'SIGSTOP' | 'SIGCONT'): void;
  remove(): Promise<void>;
}

export interface LabNode {
  readonly namespace: Namespace;
  readonly subnetFile: string;
  readonly stateFile: string;
  /** Runs flannelctl there to its end. */
  cli(
    ...args: readonly string[]
  ): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }>;
  /** Starts the agent and waits until the overlay is up, or until `until` is in its log. */
  up(options?: UpOptions): Promise<Agent>;
  /** Lines of a command; empty when it fails. */
  lines(command: string): Promise<readonly string[]>;
}

export interface UpOptions {
  readonly flags?: readonly string[];
  /** What starts it, in the network and mount namespace of the node: `env`, a shell that prepares its mounts. */
  readonly wrap?: readonly string[];
  readonly until?: RegExp;
}

export interface Agent {
  readonly pid: number;
  log(): string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<number | null>;
}

export interface LabOptions {
  /** Network configuration; default: IPv4 alone. */
  readonly config?: object;
  /** Families of the underlay; on one of IPv6 alone etcd is reached over IPv6, too. */
  readonly underlay?: Underlay;
}

export type Underlay = 'ipv4' | 'dual' | 'ipv6';

export async function makeLab(count: number, options: LabOptions = {}): Promise<Lab> {
  const { config = CONFIG, underlay = 'ipv4' } = options;
  const at = underlay === 'ipv6' ? '[fd00:9::254]' : '192.168.9.254';
  const url = `http://${at}:2379`;
  const hub = await makeNamespace();
  const children: ChildProcess[] = [];
  const namespaces = [hub];
  await hub.run('ip link add br0 type bridge');
  await hub.run('ip link set br0 up');
  await addAddresses(hub, { device: 'br0', number: 254, underlay });
  const nodes: LabNode[] = [];
  for (let index = 1; index <= count; index += 1) {
    const namespace = await plugIn(hub, index, underlay);
    namespaces.push(namespace);
    nodes.push(labNode(namespace, children, ['--etcd-endpoints', url]));
  }
  const etcd = startEtcd(hub, children, at);
  const etcdctl = (line: string) => hub.run(`env ETCDCTL_API=3 etcdctl --endpoints ${url} ${line}`);
  const put = async (key: string, value: object) => void (await etcdctl(`put ${key} ${JSON.stringify(value)}`));
  await eventually(() => put('/coreos.com/network/config', config), 10_000);
  return {
    nodes,
    hub,
    etcdctl,
    put,
    signalEtcd: (signal) => etcd.kill(signal),
    remove: async () => {
      await Promise.all(children.map(killed));
      for (const namespace of namespaces.reverse()) await namespace.remove();
    },
  };
}

/** A namespace with eth0 192.168.9.INDEX on the switch of the hub. */
export async function plugIn(hub: Namespace, index: number, underlay: Underlay = 'ipv4'): Promise<Namespace> {
  const node = await makeNamespace();
  await hub.run(`ip link add p${index} type veth peer name eth0 netns ${node.name}`);
  await hub.run(`ip link set p${index} master br0 up`);
  await node.run('ip link set eth0 up');
  await addAddresses(node, { device: 'eth0', number: index, underlay });
  if (underlay !== 'ipv6') await node.run('ip route add default via 192.168.9.254');
  if (underlay !== 'ipv4') await node.run('ip -6 route add default via fd00:9::254');
  return node;
}

interface Place {
  readonly device: string;
  readonly number: number;
  readonly underlay: Underlay;
}

async function addAddresses(namespace: Namespace, { device, number, underlay }: Place): Promise<void> {
  if (underlay !== 'ipv6') await namespace.run(`ip addr add 192.168.9.${number}/24 dev ${device}`);
  if (underlay !== 'ipv4') await namespace.run(`ip addr add fd00:9::${number}/64 dev ${device} nodad`);
}

function startEtcd({ name, directory }: Namespace, children: ChildProcess[], at: string): ChildProcess {
  const [peer, url] = [`http://${at}:2380`, `http://${at}:2379`];
  const client = ['--listen-client-urls', url, '--advertise-client-urls', url];
  const peers = ['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `t=${peer}`];
  const args = [
    'netns',
    'exec',
    name,
    'etcd',
    '--name',
    't',
    '--data-dir',
    join(directory, 'etcd'),
    ...client,
    ...peers,
  ];
  const child = spawn('ip', args, { stdio: 'ignore' });
  children.push(child);
  return child;
}

/** `children`: where the processes that it starts are kept, for their end. `datastore`: flags that name it. */
export function labNode(namespace: Namespace, children: ChildProcess[], datastore: readonly string[]): LabNode {
  const subnetFile = join(namespace.directory, 'subnet.env');
  const stateFile = join(namespace.directory, 'state.json');
  const start = (args: readonly string[], wrap: readonly string[] = []) => {
    const common = ['--subnet-file', subnetFile, '--state-file', stateFile, '--timeout', '2s'];
    const argv = ['netns', 'exec', namespace.name, ...wrap, process.execPath, CLI, ...args, ...datastore, ...common];
    const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
    const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
    return { child, output, ended };
  };
  return {
    namespace,
    subnetFile,
    stateFile,
    cli: async (...args) => {
      const { output, ended } = start(args);
      return { exitCode: await ended, ...output };
    },
    up: async ({ flags = [], wrap = [], until = /the overlay is up/ } = {}) => {
      const { child, output, ended } = start(['up', ...flags], wrap);
      await eventually(async () => {
        if (child.exitCode !== null) throw new Error(`the agent ended: ${output.stderr}`);
        if (!until.test(output.stderr)) throw new Error(`the agent is not there: ${output.stderr}`);
      }, 60_000).catch(async (error) => {
        await killed(child);
        throw error;
      });
      return { pid: child.pid ?? 0, log: () => output.stderr, signal: (name) => void child.kill(name), ended };
    },
    lines: async (command) => {
      const [program = '', ...args] = command.split(' ');
      const { stdout } = await namespace.host.exec([program, ...args]);
      return stdout
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
    },
  };
}

/** Tries until it no longer throws. */
export async function eventually<T>(attempt: () => Promise<T>, timeoutMs: number): Promise<T> {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await pause(20);
    }
  }
}

/** The subnet of a node, as its subnet.env says. */
export async function subnetOf({ subnetFile }: LabNode): Promise<string> {
  const text = await readFile(subnetFile, 'utf8');
  const found = /^FLANNEL_SUBNET=(\d+\.\d+\.\d+)\.1\/24$/m.exec(text)?.[1];
  if (found === undefined) throw new Error(`no subnet in ${text}`);
  return `${found}.0/24`;
}

/** Everything of the overlay that the node's kernel holds, in words that do not change by themselves. */
export async function overlayOf({ namespace }: LabNode): Promise<readonly string[]> {
  const { stdout } = await namespace.host.exec(['sh', '-c', LISTING]);
  return stdout
    .split('\n')
    .map((line) =>
      line
        .replace(/^\d+: /, '')
        .replace(/ (qdisc|state|qlen|group) \S+/g, '')
        .trim(),
    )
    .filter((line) => line !== '' && !/^(fe80|33:33|01:00)/.test(line))
    .sort();
}

/** In one process: the time that looking takes counts as time that repairing took. */
const LISTING = [
  'ip -o link show flannel.1',
  'ip -o -4 addr show dev flannel.1',
  'ip route show',
  'ip neigh show dev flannel.1 nud permanent',
  'bridge fdb show dev flannel.1',
].join(';');

export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGCONT');
  child.kill('SIGKILL');
  await ended;
}
