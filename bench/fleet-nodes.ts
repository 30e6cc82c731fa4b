import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const HUB = '172.16.255.254';
const RESTART_MS = 1000;
const LONGEST_MS = 600_000;

/** One node of the fleet: a namespace on the bridge, with a pod in a namespace of its own. */
export interface FleetNode {
  readonly name: string;
  pid(): number;
  /** CIDR notation of its lease; set once the agent has written subnet.env. */
  subnet(): string | undefined;
  /** How many routes lead to flannel.1. */
  routes(): number;
  hasRoute(subnet: string): boolean;
  /** Stops the agent and gives the lease back. */
  leave(): Promise<void>;
  /** Last lines of the log. */
  log(): string;
}

/** The bridge of this network namespace that all nodes hang on; etcd listens behind it. */
export function makeHub(): void {
  ip(['link add br0 type bridge', `addr add ${HUB}/16 dev br0`, 'link set br0 up']);
}

export function makeNode(index: number): string {
  const name = `n${index}`;
  ip([
    `netns add ${name}`,
    `link add ${name} type veth peer name eth0 netns ${name}`,
    `link set ${name} master br0 up`,
  ]);
  ip(
    [
      'link set lo up',
      `addr add 172.16.${Math.floor(index / 250)}.${(index % 250) + 1}/16 dev eth0`,
      'link set eth0 up',
      `route add default via ${HUB}`,
    ],
    name,
  );
  execFileSync('nsenter', [`--net=/run/netns/${name}`, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
  return name;
}

export function startNode(flannelctl: string, name: string, folder: string): FleetNode {
  const own = join(folder, name);
  mkdirSync(own);
  const subnetFile = join(own, 'subnet.env');
  const files = [`--subnet-file=${subnetFile}`, `--state-file=${join(own, 'state.json')}`];
  const flags = [`--etcd-endpoints=http://${HUB}:2379`, '--iface=eth0', '--iptables-forward-rules=false', ...files];
  const enter = [`--net=/run/netns/${name}`, flannelctl];
  const service = keepRunning([...enter, 'up', ...flags], join(own, 'log'));
  const table = () => readIfThere(`/proc/${service.pid()}/net/route`);
  return {
    name,
    pid: service.pid,
    subnet: () => subnetOf(readIfThere(subnetFile)),
    routes: () => table().split('\nflannel.1\t').length - 1,
    hasRoute: (subnet) => table().includes(`\nflannel.1\t${hexOf(subnet)}\t`),
    leave: async () => {
      await service.stop();
      execFileSync('nsenter', [...enter, 'down', '--release', ...flags.filter((flag) => !/forward/.test(flag))]);
    },
    log: () => `${name}: ${readIfThere(join(own, 'log')).trim().split('\n').slice(-3).join('\n')}`,
  };
}

/** A pod of this node, behind a bridge as CNI makes it; its address is the second of the subnet. */
export function makePod({ name }: Pick<FleetNode, 'name'>, subnet: string): string {
  const [gateway, address] = [1, 2].map((last) => subnet.replace(/0\/24$/, String(last)));
  ip([`netns add p${name}`]);
  ip(
    [
      'link add cni0 type bridge',
      `addr add ${gateway}/24 dev cni0`,
      'link set cni0 up',
      `link add veth0 type veth peer name eth0 netns p${name}`,
      'link set veth0 master cni0 up',
    ],
    name,
  );
  ip(
    ['link set lo up', `addr add ${address}/24 dev eth0`, 'link set eth0 up', `route add default via ${gateway}`],
    `p${name}`,
  );
  return address ?? '';
}

/** Whether a pod reaches another one. */
export async function reaches(from: string, address: string): Promise<boolean> {
  const child = spawn('nsenter', [`--net=/run/netns/p${from}`, 'ping', '-c1', '-W3', address], { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  return code === 0;
}

/** Ms until it holds. @throws with the end of every log when it does not within ten minutes. */
export async function until(holds: () => boolean, nodes: readonly FleetNode[]): Promise<number> {
  const startedAt = performance.now();
  while (!holds()) {
    if (performance.now() - startedAt > LONGEST_MS) throw new Error(nodes.map((node) => node.log()).join('\n'));
    await sleep(20);
  }
  return performance.now() - startedAt;
}

/** One process for all lines. */
function ip(lines: readonly string[], namespace?: string): void {
  const inside = namespace === undefined ? [] : ['-n', namespace];
  execFileSync('ip', [...inside, '-batch', '-'], { input: lines.join('\n') });
}

/** As its unit would: started again when it fails. */
function keepRunning(argv: readonly string[], logFile: string) {
  let isLeaving = false;
  const launch = (): ChildProcess => {
    const log = openSync(logFile, 'a');
    const child = spawn('nsenter', argv, { stdio: ['ignore', log, log] });
    closeSync(log);
    child.once('exit', () => {
      if (!isLeaving) setTimeout(() => (running = launch()), RESTART_MS);
    });
    return child;
  };
  let running = launch();
  return {
    pid: () => running.pid ?? 0,
    stop: async () => {
      isLeaving = true;
      const exit = once(running, 'exit');
      running.kill('SIGTERM');
      await exit;
    },
  };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function subnetOf(env: string): string | undefined {
  const first = /^FLANNEL_SUBNET=(\d+\.\d+\.\d+)\.1\/24$/m.exec(env)?.[1];
  return first === undefined ? undefined : `${first}.0/24`;
}

/** As /proc/net/route has it: the bytes backwards. */
function hexOf(subnet: string): string {
  const bytes = subnet.slice(0, subnet.indexOf('/')).split('.').toReversed();
  return bytes.map((byte) => Number(byte).toString(16).padStart(2, '0').toUpperCase()).join('');
}
