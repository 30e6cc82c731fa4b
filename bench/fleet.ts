import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs } from './agent-process.ts';
import { type FleetNode, makeHub, makeNode, makePod, reaches, startNode, until } from './fleet-nodes.ts';
import { median } from './measure.ts';
import { seedEtcd, startBenchEtcd } from './seed-etcd.ts';

// Fifty nodes on one bridge, an agent and a pod on each, one etcd: how long until everybody has everybody, whether pods reach each other,
// what one more and one less takes, what an agent costs. Needs root, etcd and the executable. All of it lives in namespaces of one child:
// whatever ends it, nothing is left.
//
//   node bench/fleet.ts [FLANNELCTL] [--nodes 50] [--at-once 10] [--pairs 100] [--idle-s 30]
//
// Fifty nodes share the cores of one machine, which real ones do not: the agents start a few at a time, each few after the ones before
// have their leases.

const flannelctl =
  process.argv[2]?.startsWith('--') === false ? process.argv[2] : join(import.meta.dirname, '../dist/flannelctl');
const INSIDE = '--inside';
const FOLDER = '/run/fleet';
const WIDTH = 52;

/** Names of network namespaces are files below /run: those of the machine are neither seen nor changed. */
const OWN_PLACE = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && exec "$@"';
const APART = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];

if (process.argv.includes(INSIDE)) await measure();
else process.exitCode = await runApart();

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : Number(process.argv[at + 1]);
}

/** Every process of the fleet ends with the child, and the kernel takes namespaces and links back. */
async function runApart(): Promise<number> {
  const rest = process.argv.slice(2).filter((word) => word !== flannelctl);
  const own = ['sh', '-c', OWN_PLACE, 'sh', process.execPath, import.meta.filename, flannelctl, INSIDE, ...rest];
  const child = spawn('unshare', [...APART, '--', ...own], { stdio: 'inherit', detached: true });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill('SIGKILL'));
  const [code] = await once(child, 'exit');
  return code ?? 130;
}

async function measure(): Promise<void> {
  mkdirSync(FOLDER);
  makeHub();
  const etcd = await startBenchEtcd(join(FOLDER, 'etcd'));
  await seedEtcd(0);
  const count = option('nodes', 50);
  const names = Array.from({ length: count + 1 }, (_, index) => makeNode(index + 1));
  const newcomer = names.pop() ?? '';
  const nodes = await measureStart(names);
  await measurePods(nodes);
  await measureCost(nodes);
  const joined = await measureJoin(nodes, newcomer);
  await measureLeave(nodes, joined);
  etcd.kill('SIGKILL');
  // The others go with this process, which is the first of its pid namespace.
  process.exit();
}

function tell(what: string, result: string): void {
  console.log(`${what.padEnd(WIDTH)} ${result}`);
}

async function measureStart(names: readonly string[]): Promise<readonly FleetNode[]> {
  const startedAt = performance.now();
  const atOnce = option('at-once', 10);
  const nodes: FleetNode[] = [];
  for (let from = 0; from < names.length; from += atOnce) {
    nodes.push(...names.slice(from, from + atOnce).map((name) => startNode(flannelctl, name, FOLDER)));
    await until(() => nodes.every((node) => node.subnet() !== undefined), nodes);
  }
  const leased = performance.now() - startedAt;
  await until(() => nodes.every((node) => node.routes() === nodes.length - 1), nodes);
  const took = performance.now() - startedAt;
  tell(`${nodes.length} agents started, ${atOnce} at once: every lease`, `${(leased / 1000).toFixed(1)} s`);
  tell(`… every node has all ${nodes.length - 1} peers`, `${(took / 1000).toFixed(1)} s`);
  return nodes;
}

async function measurePods(nodes: readonly FleetNode[]): Promise<void> {
  const addresses = nodes.map((node) => makePod(node, node.subnet() ?? ''));
  const pairs = Array.from({ length: option('pairs', 100) }, (_, at) => {
    const from = at % nodes.length;
    return [from, (from + 1 + Math.floor(Math.random() * (nodes.length - 1))) % nodes.length] as const;
  });
  const silent: string[] = [];
  for (let at = 0; at < pairs.length; at += 10) {
    const some = pairs.slice(at, at + 10).map(async ([from, to]) => {
      const name = nodes[from]?.name ?? '';
      if (!(await reaches(name, addresses[to] ?? ''))) silent.push(`${name} → ${addresses[to]}`);
    });
    await Promise.all(some);
  }
  tell('pod to pod over the overlay', `${pairs.length - silent.length} of ${pairs.length} pairs answer`);
  if (silent.length > 0) throw new Error(`no answer: ${silent.join(', ')}`);
}

async function measureCost(nodes: readonly FleetNode[]): Promise<void> {
  await sleep(5000);
  const idleMs = option('idle-s', 30) * 1000;
  const before = nodes.map(({ pid }) => cpuMs(pid()));
  await sleep(idleMs);
  const shares = nodes.map(({ pid }, at) => ((cpuMs(pid()) - (before[at] ?? 0)) / idleMs) * 100);
  const sum = shares.reduce((all, share) => all + share, 0);
  const each = `${median(shares).toFixed(2)} % of a core`;
  tell('idle, an agent with its children', `${each} (${nodes.length} of them: ${sum.toFixed(0)} %)`);
  const [rss, pss] = ['Rss', 'Pss'].map((what) => median(nodes.map(({ pid }) => memoryMb(pid(), what))));
  tell('memory of an agent', `RSS ${rss?.toFixed(0)} MB, PSS ${pss?.toFixed(0)} MB (pages of the executable shared)`);
}

function memoryMb(pid: number, what: string): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]) / 1024;
}

async function measureJoin(nodes: readonly FleetNode[], name: string): Promise<FleetNode> {
  const startedAt = performance.now();
  const node = startNode(flannelctl, name, FOLDER);
  await until(() => node.subnet() !== undefined && node.routes() === nodes.length, [node]);
  const own = performance.now() - startedAt;
  const subnet = node.subnet() ?? '';
  await until(() => nodes.every((other) => other.hasRoute(subnet)), nodes);
  const all = performance.now() - startedAt;
  tell('one more: it has everybody', `${own.toFixed(0)} ms from the start of its agent`);
  tell('… and everybody has it', `${all.toFixed(0)} ms`);
  return node;
}

async function measureLeave(nodes: readonly FleetNode[], node: FleetNode): Promise<void> {
  const subnet = node.subnet() ?? '';
  const startedAt = performance.now();
  await node.leave();
  const given = performance.now() - startedAt;
  await until(() => nodes.every((other) => !other.hasRoute(subnet)), nodes);
  tell('one less: its lease is given back', `${given.toFixed(0)} ms from SIGTERM`);
  tell('… and nobody has a route to it', `${(performance.now() - startedAt).toFixed(0)} ms`);
}
