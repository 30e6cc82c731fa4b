import { type ChildProcess, spawn } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeNamespace, type Namespace } from '../dataplane/namespace.ts';
import { type Agent, eventually, killed, type LabNode, labNode, plugIn, subnetOf, type UpOptions } from './lab.ts';

export const PREFIX = '/coreos.com/network';
export const CONFIG = { Network: '10.244.0.0/16', Backend: { Type: 'vxlan' } };
/** /readyz of every node, on its own loopback. */
export const HEALTH = ['--healthz-port', '8081'];

/** Nodes on one switch, with an etcd of one or three members, each in a namespace of its own, so that anything can be cut off. */
export interface FaultLab {
  readonly nodes: readonly [LabNode, LabNode, LabNode];
  readonly members: readonly EtcdNode[];
  /** etcdctl against the members that can answer, arguments split at blanks. */
  ctl(line: string): Promise<string>;
  /** Writes a value as it is, also an empty or a binary one. */
  putRaw(key: string, value: string | Buffer, etcdLease?: string): Promise<void>;
  /** Lines of `etcdctl txn`, all of them or none. */
  transact(operations: readonly string[]): Promise<void>;
  leader(): Promise<EtcdNode>;
  /** Without waiting for it. */
  track(child: ChildProcess): ChildProcess;
  remove(): Promise<void>;
}

export interface EtcdNode {
  readonly namespace: Namespace;
  readonly endpoint: string;
  readonly dataDir: string;
  /** `more`: flags besides its own. */
  start(...more: readonly string[]): Promise<void>;
  /** With its data kept. */
  kill(): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Clients reach it, the other members do not. */
  isolate(): Promise<void>;
  rejoin(): Promise<void>;
  /** Not killed, stopped or isolated: what is asked of such a one is not answered, or done when nobody waits for it any more. */
  canAnswer(): boolean;
}

export async function makeFaultLab(memberCount: 1 | 3 = 1): Promise<FaultLab> {
  const hub = await makeNamespace();
  const children: ChildProcess[] = [];
  const namespaces = [hub];
  await hub.run('ip link add br0 type bridge');
  await hub.run('ip addr add 192.168.9.254/24 dev br0');
  await hub.run('ip link set br0 up');
  const plug = async (index: number) => {
    const namespace = await plugIn(hub, index);
    namespaces.push(namespace);
    return namespace;
  };
  const ids = Array.from({ length: memberCount }, (_, index) => 250 - index);
  const endpoints = ids.map((id) => `http://192.168.9.${id}:2379`).join(',');
  const node = async (index: number) => labNode(await plug(index), children, ['--etcd-endpoints', endpoints]);
  const nodes = [await node(1), await node(2), await node(3)] as const;
  const members: EtcdNode[] = [];
  for (const id of ids) members.push(etcdNode(await plug(id), { id, ids, children }));
  await Promise.all(members.map((member) => member.start()));
  const answering = () => {
    const some = members.filter((member) => member.canAnswer()).map(({ endpoint }) => endpoint);
    return some.length > 0 ? some.join(',') : endpoints;
  };
  const ctl = (line: string) => hub.run(`env ETCDCTL_API=3 etcdctl --endpoints ${answering()} ${line}`);
  const putRaw = (key: string, value: string | Buffer, etcdLease = '0') => {
    const etcdctl = ['etcdctl', '--endpoints', answering(), 'put', '--lease', etcdLease, '--', key];
    return withInput(['ip', 'netns', 'exec', hub.name, ...etcdctl], value);
  };
  await eventually(() => putRaw(`${PREFIX}/config`, JSON.stringify(CONFIG)), 20_000);
  return {
    nodes,
    members,
    ctl,
    putRaw,
    transact: (operations) => {
      const etcdctl = ['etcdctl', '--endpoints', answering(), 'txn'];
      return withInput(['ip', 'netns', 'exec', hub.name, ...etcdctl], `\n${operations.join('\n')}\n\n\n`);
    },
    leader: async () => {
      const lines = (await ctl('endpoint status')).split('\n').map((line) => line.split(', '));
      const at = lines.find((columns) => columns[4] === 'true')?.[0];
      const found = members.find(({ endpoint }) => endpoint === at);
      if (found === undefined) throw new Error('the cluster has no leader');
      return found;
    },
    track: (child) => {
      children.push(child);
      return child;
    },
    remove: async () => {
      await Promise.all(children.map(killed));
      for (const namespace of namespaces.reverse()) await namespace.remove();
    },
  };
}

interface Membership {
  readonly id: number;
  readonly ids: readonly number[];
  readonly children: ChildProcess[];
}

function etcdNode(namespace: Namespace, { id, ids, children }: Membership): EtcdNode {
  const at = (port: number, of = id) => `http://192.168.9.${of}:${port}`;
  const dataDir = join(namespace.directory, 'etcd');
  const args = [
    ...['--name', `m${id}`, '--data-dir', dataDir, '--log-level', 'error'],
    ...['--heartbeat-interval', '50', '--election-timeout', '500'],
    ...['--listen-client-urls', at(2379), '--advertise-client-urls', at(2379)],
    ...['--listen-peer-urls', at(2380), '--initial-advertise-peer-urls', at(2380)],
    ...['--initial-cluster', ids.map((one) => `m${one}=${at(2380, one)}`).join(',')],
  ];
  let child: ChildProcess | undefined;
  const hurt = new Set<'killed' | 'stopped' | 'isolated'>();
  const wall = async (verb: '-A' | '-D') => {
    for (const [chain, side] of [
      ['INPUT', '--dport'],
      ['INPUT', '--sport'],
      ['OUTPUT', '--dport'],
      ['OUTPUT', '--sport'],
    ])
      await namespace.run(`iptables -w ${verb} ${chain} -p tcp ${side} 2380 -j DROP`);
  };
  return {
    namespace,
    endpoint: at(2379),
    dataDir,
    start: async (...more) => {
      hurt.delete('killed');
      child = spawn('ip', ['netns', 'exec', namespace.name, 'etcd', ...args, ...more], { stdio: 'ignore' });
      children.push(child);
      if (ids.length === 1)
        await eventually(
          () => namespace.run(`env ETCDCTL_API=3 etcdctl --endpoints ${at(2379)} endpoint health`),
          20_000,
        );
    },
    kill: async () => {
      hurt.add('killed');
      if (child !== undefined) await killed(child);
    },
    signal: (name) => {
      if (name === 'SIGSTOP') hurt.add('stopped');
      else hurt.delete('stopped');
      child?.kill(name);
    },
    isolate: () => {
      hurt.add('isolated');
      return wall('-A');
    },
    rejoin: async () => {
      await wall('-D');
      hurt.delete('isolated');
    },
    canAnswer: () => hurt.size === 0,
  };
}

/** Puts data back that were copied away. */
export async function exchangeData({ dataDir }: EtcdNode, from: string): Promise<void> {
  await rm(dataDir, { recursive: true, force: true });
  await cp(from, dataDir, { recursive: true });
}

/** All agents, with their health ports; the overlay is whole when it resolves. */
export async function allUp(lab: FaultLab, options: UpOptions = {}): Promise<readonly [Agent, Agent, Agent]> {
  const up = (node: LabNode) => node.up({ ...options, flags: [...HEALTH, ...(options.flags ?? [])] });
  const [a, b, c] = lab.nodes;
  const agents = await Promise.all([up(a), up(b), up(c)]);
  await whole(lab);
  return [agents[0], agents[1], agents[2]];
}

/** Every node reaches every other over the overlay, and says that it is ready. */
export async function whole({ nodes }: FaultLab, timeoutMs = 60_000): Promise<void> {
  const addresses = await Promise.all(nodes.map(overlayAddress));
  for (const [index, node] of nodes.entries()) {
    for (const address of addresses.filter((_, other) => other !== index))
      await eventually(() => node.namespace.run(`ping -c1 -W1 ${address}`), timeoutMs);
    await eventually(async () => {
      const said = await readyz(node);
      if (said !== 'ready') throw new Error(`node ${index}: ${said}`);
    }, timeoutMs);
  }
}

export async function readyz(node: LabNode): Promise<string> {
  return (await node.lines('curl -s -m 2 http://127.0.0.1:8081/readyz')).join('\n');
}

export async function overlayAddress(node: LabNode): Promise<string> {
  return (await subnetOf(node)).replace('/24', '');
}

export async function keyOf(node: LabNode): Promise<string> {
  return `${PREFIX}/subnets/${(await subnetOf(node)).replace('/', '-')}`;
}

export function leaseValue(publicIp: string, mac: string, more: object = {}): string {
  return JSON.stringify({
    ...{ PublicIP: publicIp, PublicIPv6: null, BackendType: 'vxlan', BackendData: { VNI: 1, VtepMAC: mac } },
    ...more,
  });
}

function withInput(argv: readonly string[], input: string | Buffer): Promise<void> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, ETCDCTL_API: '3' },
    });
    let problem = '';
    child.stderr.on('data', (chunk) => (problem += String(chunk)));
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(problem))));
    child.stdin.end(input);
  });
}
