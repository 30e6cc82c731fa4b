import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const EXECUTABLE = join(import.meta.dirname, '../../dist/flannelctl');
const PREFIX = '/coreos.com/network';
const ENDPOINT = 'http://192.168.77.254:2379';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Nodes of a vxlan overlay in network namespaces of their own, joined by a bridge; behind it a real etcd at 192.168.77.254. Node N has
 * 192.168.77.N, 10.244.N.0/24, and every other node as its peer.
 */
export interface Lab {
  readonly folder: string;
  /** Runs a program in the namespace of a node. @throws when it fails. */
  run(node: number, command: string): string;
  /** Runs flannelctl in a node, against the etcd of the lab. */
  flannelctl(node: number, ...args: readonly string[]): Promise<Ended>;
  /** etcdctl; `put` and `del` take keys below the prefix. */
  etcdctl(...args: readonly string[]): string;
  /** The lease of a node as flanneld writes it; `ttl` null: none. `subnet`: default its own. */
  lease(node: number, ttl: number | null, subnet?: string): void;
  /** Keys below subnets/. */
  keys(): readonly string[];
  down(): Promise<void>;
}

export function macOf(node: number): string {
  return `02:00:00:00:00:${node.toString(16).padStart(2, '0')}`;
}

export async function lab(count: number): Promise<Lab> {
  const tag = randomBytes(3).toString('hex');
  const folder = mkdtempSync(join(tmpdir(), 'fctl-lab-'));
  const nodes = Array.from({ length: count }, (_, at) => at + 1);
  const nameOf = (node: number) => `fctl-${tag}-${node}`;
  const [middle, all] = [nameOf(0), [nameOf(0), ...nodes.map(nameOf)]];
  const run = (node: number, command: string) => execute('ip', ['netns', 'exec', nameOf(node), ...command.split(' ')]);
  for (const name of all) execute('ip', ['netns', 'add', name]);
  run(0, 'ip link set lo up');
  run(0, 'ip link add br0 type bridge');
  run(0, 'ip addr add 192.168.77.254/24 dev br0');
  run(0, 'ip link set br0 up');
  for (const node of nodes) cable(node, { run, middle, name: nameOf(node), nodes });
  const etcd = startEtcd(middle, folder);
  const etcdctl = (...args: readonly string[]) =>
    execute('ip', ['netns', 'exec', middle, 'env', 'ETCDCTL_API=3', 'etcdctl', '--endpoints', ENDPOINT, ...args]);
  await untilUp(() => etcdctl('put', `${PREFIX}/config`, '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'));
  return {
    folder,
    run,
    etcdctl,
    flannelctl: (node, ...args) => {
      const writes = ['prune', 'release'].includes(args[1] ?? '') && !args.includes('--backup-dir');
      const more = ['--etcd-endpoints', ENDPOINT, ...(writes ? ['--backup-dir', folder] : [])];
      return collect('ip', ['netns', 'exec', nameOf(node), EXECUTABLE, ...args, ...more]);
    },
    lease: (node, ttl, subnet = `10.244.${node}.0/24`) => {
      const lease = ttl === null ? [] : ['--lease', etcdctl('lease', 'grant', String(ttl)).split(' ')[1] ?? ''];
      etcdctl('put', ...lease, `${PREFIX}/subnets/${subnet.replace('/', '-')}`, leaseValueOf(node));
    },
    keys: () =>
      etcdctl('get', '--prefix', '--keys-only', `${PREFIX}/subnets/`)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.slice(`${PREFIX}/subnets/`.length)),
    down: async () => {
      await ended(etcd);
      for (const name of all) execute('ip', ['netns', 'del', name]);
      rmSync(folder, { recursive: true });
    },
  };
}

interface Cabling {
  readonly run: Lab['run'];
  readonly middle: string;
  readonly name: string;
  readonly nodes: readonly number[];
}

function cable(node: number, { run, middle, name, nodes }: Cabling): void {
  execute('ip', ['-n', middle, 'link', 'add', `p${node}`, 'type', 'veth', 'peer', 'name', 'e0', 'netns', name]);
  run(0, `ip link set p${node} master br0 up`);
  run(node, 'ip link set lo up');
  run(node, `ip addr add 192.168.77.${node}/24 dev e0`);
  run(node, 'ip link set e0 up');
  run(
    node,
    `ip link add flannel.1 address ${macOf(node)} type vxlan id 1 dev e0 local 192.168.77.${node} dstport 8472 nolearning`,
  );
  run(node, `ip addr add 10.244.${node}.0/32 dev flannel.1`);
  run(node, 'ip link set flannel.1 up');
  for (const peer of nodes.filter((other) => other !== node)) {
    run(node, `ip neigh replace 10.244.${peer}.0 lladdr ${macOf(peer)} dev flannel.1 nud permanent`);
    run(node, `bridge fdb replace ${macOf(peer)} dev flannel.1 dst 192.168.77.${peer} self permanent`);
    run(node, `ip route add 10.244.${peer}.0/24 via 10.244.${peer}.0 dev flannel.1 onlink`);
  }
}

function leaseValueOf(node: number): string {
  const data = { VNI: 1, VtepMAC: macOf(node) };
  return JSON.stringify({ PublicIP: `192.168.77.${node}`, PublicIPv6: null, BackendType: 'vxlan', BackendData: data });
}

function startEtcd(namespace: string, folder: string): ChildProcess {
  const peer = 'http://192.168.77.254:2380';
  return spawn(
    'ip',
    [
      ...[
        'netns',
        'exec',
        namespace,
        'etcd',
        '--name',
        'lab',
        '--data-dir',
        join(folder, 'etcd'),
        '--log-level',
        'error',
      ],
      ...['--listen-client-urls', ENDPOINT, '--advertise-client-urls', ENDPOINT, '--listen-peer-urls', peer],
      ...['--initial-advertise-peer-urls', peer, '--initial-cluster', `lab=${peer}`],
    ],
    { stdio: 'ignore' },
  );
}

async function untilUp(call: () => unknown): Promise<void> {
  for (let left = 100; ; left -= 1) {
    try {
      call();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(100);
    }
  }
}

export function collect(program: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 60_000, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, stdout, stderr });
    });
  });
}

function execute(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', timeout: 15_000, stdio: ['ignore', 'pipe', 'pipe'] });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
