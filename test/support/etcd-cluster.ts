import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EtcdMember, runEtcdctl, runMember, untilHealthy } from './etcd-server.ts';
import { freePort } from './free-port.ts';

export interface ClusterMember {
  readonly endpoint: string;
  readonly port: number;
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
  /** With its data; resolves when it answers. */
  restart(): Promise<void>;
  /** Its clients reach it, the other members do not, and it does not reach them. */
  isolate(): void;
  rejoin(): void;
}

export interface EtcdCluster {
  readonly members: readonly ClusterMember[];
  readonly endpoints: readonly string[];
  /** Runs etcdctl (v3) against all members. */
  ctl(...args: readonly string[]): Promise<string>;
  /** The leader, and the two others. */
  roles(): Promise<{ readonly leader: ClusterMember; readonly followers: readonly ClusterMember[] }>;
  /** All members run, reach each other and have a leader. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

/** Elections take some 300 ms, not a second. */
const QUICK = ['--heartbeat-interval', '30', '--election-timeout', '300', '--log-level', 'error'];

/** Three real members on the loopback; the peers speak through proxies, so that each can be cut off from the others. */
export async function startCluster(): Promise<EtcdCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'fctl-cluster-'));
  const isolated = new Set<string>();
  const ids = new Map<string, string>();
  const parts = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const [port, peerPort] = [await freePort(), await freePort()];
      return { name, port, peerPort, peers: await startPeerProxy({ name, target: peerPort, isolated, ids }) };
    }),
  );
  const initial = parts.map(({ name, peers }) => `${name}=http://127.0.0.1:${peers.port}`).join(',');
  const running = parts.map(({ name, port, peerPort, peers }) => {
    const endpoint = `http://127.0.0.1:${port}`;
    const args = [
      ...['--name', name, '--data-dir', join(folder, name), ...QUICK, '--initial-cluster', initial],
      ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
      ...['--listen-peer-urls', `http://127.0.0.1:${peerPort}`],
      ...['--initial-advertise-peer-urls', `http://127.0.0.1:${peers.port}`],
    ];
    return { name, port, endpoint, peers, member: runMember(args) };
  });
  const endpoints = running.map(({ endpoint }) => endpoint);
  const ctl = (...args: readonly string[]) => runEtcdctl(endpoints.join(','), undefined, args);
  await Promise.all(running.map(({ endpoint, member }) => untilAnswers(member, endpoint)));
  for (const { name, id } of await readMembers(ctl)) ids.set(id, name);
  const cut = () => {
    for (const { peers } of running) peers.cut();
  };
  const members = running.map((one) => memberOf(one, isolated, cut));
  const heal = async () => {
    isolated.clear();
    for (const { member } of running) {
      if (member.hasEnded()) member.start();
      else member.resume();
    }
    await Promise.all(running.map(({ endpoint, member }) => untilAnswers(member, endpoint)));
  };
  return {
    members,
    endpoints,
    ctl,
    heal,
    roles: async () => {
      const leader = await findLeader(ctl);
      const isLeader = ({ endpoint }: ClusterMember) => endpoint === leader;
      const [found] = members.filter(isLeader);
      if (found === undefined) throw new Error('the cluster has no leader');
      return { leader: found, followers: members.filter((member) => !isLeader(member)) };
    },
    stop: async () => {
      await Promise.all(running.map(({ member }) => member.kill()));
      await Promise.all(running.map(({ peers }) => peers.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Running {
  readonly name: string;
  readonly port: number;
  readonly endpoint: string;
  readonly member: EtcdMember;
}

function memberOf({ name, port, endpoint, member }: Running, isolated: Set<string>, cut: () => void): ClusterMember {
  return {
    ...{ endpoint, port, pause: member.pause, resume: member.resume, kill: member.kill },
    restart: async () => {
      member.start();
      await untilAnswers(member, endpoint);
    },
    isolate: () => {
      isolated.add(name);
      cut();
    },
    rejoin: () => void isolated.delete(name),
  };
}

function untilAnswers(member: EtcdMember, endpoint: string): Promise<void> {
  return untilHealthy(member, (...args) => runEtcdctl(endpoint, undefined, args));
}

type Ctl = EtcdCluster['ctl'];

async function readMembers(ctl: Ctl): Promise<readonly { readonly id: string; readonly name: string }[]> {
  return (await ctl('member', 'list'))
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', , name = ''] = line.split(', ');
      return { id, name };
    });
}

/**
 * `endpoint status -w simple`: endpoint, id, version, size, is leader, … Waits for an election that is under way; empty: nobody was
 * elected in 10 s.
 */
async function findLeader(ctl: Ctl): Promise<string> {
  const giveUpAt = Date.now() + 10_000;
  for (;;) {
    const lines = (await ctl('endpoint', 'status')).trim().split('\n');
    const leader = lines.map((line) => line.split(', ')).find((columns) => columns[4] === 'true')?.[0];
    if (leader !== undefined || Date.now() > giveUpAt) return leader ?? '';
  }
}

interface PeerProxy {
  readonly port: number;
  cut(): void;
  close(): Promise<void>;
}

interface PeerProxyOptions {
  /** Whose peer port it is. */
  readonly name: string;
  readonly target: number;
  readonly isolated: ReadonlySet<string>;
  /** Names by member id. */
  readonly ids: ReadonlyMap<string, string>;
}

/** etcd's peers name themselves in the first request of each connection (rafthttp: X-Server-From). */
async function startPeerProxy({ name, target, isolated, ids }: PeerProxyOptions): Promise<PeerProxy> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    track(client);
    if (isolated.has(name)) return void client.destroy();
    const upstream = track(connect(target, '127.0.0.1'));
    client.on('data', (bytes) => {
      const [, from = ''] = /X-Server-From: ([0-9a-f]+)/i.exec(bytes.toString('latin1', 0, 2000)) ?? [];
      if (isolated.has(ids.get(from) ?? '')) client.destroy();
      else upstream.write(bytes);
    });
    upstream.on('data', (bytes) => client.write(bytes));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return { port: portOf(server), cut, close: () => closeAfter(server, cut) };
}

function closeAfter(server: Server, cut: () => void): Promise<void> {
  cut();
  return new Promise((resolve) => server.close(() => resolve()));
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
