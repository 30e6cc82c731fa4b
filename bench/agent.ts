import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderPlan } from '../src/dataplane/batch.ts';
import { planOverlay } from '../src/dataplane/plan.ts';
import { cpuMs, startAgent } from './agent-process.ts';
import { median } from './measure.ts';
import { overlayOf } from './overlay.ts';
import { seedEtcd, startBenchEtcd, writeLease } from './seed-etcd.ts';
import { measureThroughput } from './throughput.ts';

// `flannelctl up` against the etcd it is made for: how long until every entry is there, how long from an event to its entry, what it costs
// when nothing happens, and what its overlay carries. Needs root, etcd, iperf3 and the executable; FLANNELD names a flanneld to compare with.
//
//   node bench/agent.ts [FLANNELCTL] [--leases 1000,5000] [--events 200] [--idle-s 20] [--no-throughput]

const flannelctl =
  process.argv[2]?.startsWith('--') === false ? process.argv[2] : join(import.meta.dirname, '../dist/flannelctl');
const INSIDE = '--inside';
const AIMS = { 1000: {}, 5000: { startMs: 700, rssMb: 110 } } as const;

/** State file and subnet.env are the benchmark's own; nothing of the machine's is read or written. */
const HIDE_STATE = `set -e
for path in /run /var/lib; do mount -t tmpfs tmpfs $path; done
ip link set lo up
exec "$@"`;

const WIDTH = 46;
const RUNS = 5;

if (process.argv.includes(INSIDE)) await measureHere(Number(option('leases', '1000')));
else process.exitCode = await runAll();

function option(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : (process.argv[at + 1] ?? fallback);
}

/** Each size in namespaces of its own, which go away with the child. */
async function runAll(): Promise<number> {
  for (const leases of option('leases', '1000,5000').split(',')) {
    const own = ['--net', '--mount', '--', 'sh', '-c', HIDE_STATE, 'sh', process.execPath, import.meta.filename];
    const rest = ['--events', option('events', '200'), '--idle-s', option('idle-s', '20')];
    const child = spawnSync('unshare', [...own, flannelctl, INSIDE, '--leases', leases, ...rest], { stdio: 'inherit' });
    if (child.status !== 0) return child.status ?? 1;
  }
  if (!process.argv.includes('--no-throughput')) await measureThroughput(flannelctl);
  return 0;
}

async function measureHere(leases: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fctl-bench-'));
  const etcd = await startBenchEtcd(join(folder, 'etcd'));
  try {
    await seedEtcd(leases);
    wantFirstSubnet();
    console.log(`\n${leases} leases in etcd`);
    const flanneld = process.env['FLANNELD'];
    const others = flanneld === undefined ? [] : [{ name: 'flanneld', command: [flanneld] }];
    await compareStarts([...others, { name: 'flannelctl up', command: [flannelctl, 'up'] }], { leases, folder });
    await measureLife(leases, folder);
  } finally {
    etcd.kill('SIGKILL');
    await once(etcd, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The subnet that the other leases leave free: chosen at random it might be one that an event is going to take. */
function wantFirstSubnet(): void {
  mkdirSync('/run/flannel');
  writeFileSync(
    '/run/flannel/subnet.env',
    'FLANNEL_NETWORK=10.0.0.0/8\nFLANNEL_SUBNET=10.0.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n',
  );
}

interface Starter {
  readonly name: string;
  readonly command: readonly string[];
}

interface Place {
  readonly leases: number;
  readonly folder: string;
}

/** In turns, so that whatever else the machine does meets all of them; against the bare tools with the same entries. */
async function compareStarts(starters: readonly Starter[], { leases, folder }: Place): Promise<void> {
  const bare: number[] = [];
  const times = starters.map((): number[] => []);
  for (let run = 0; run < RUNS; run += 1) {
    bare.push(onFreshUnderlay(() => feedDirectly(leases)));
    for (const [at, { command }] of starters.entries()) {
      makeUnderlay();
      const agent = startAgent(command, folder);
      times[at]?.push(await agent.untilRoutes(leases));
      await agent.stop();
      removeUnderlay();
    }
  }
  const base = median(bare);
  console.log(`${'the same entries by ip -batch, bridge -batch'.padEnd(WIDTH)} ${base.toFixed(0)} ms`);
  for (const [at, { name }] of starters.entries()) {
    const took = median(times[at] ?? []);
    const aim = aimText(aimOf(leases, 'startMs'), 'ms');
    const what = `${name}, start to every route`.padEnd(WIDTH);
    console.log(`${what} ${took.toFixed(0)} ms   ${(took / base).toFixed(1)}x${aim}`);
  }
}

/** One agent: what it costs when nothing happens, and how fast it follows. */
async function measureLife(leases: number, folder: string): Promise<void> {
  makeUnderlay();
  const agent = startAgent([flannelctl, 'up'], folder);
  await agent.untilRoutes(leases);
  await sleep(3000);
  const idleS = Number(option('idle-s', '20'));
  const before = cpuMs(agent.pid);
  await sleep(idleS * 1000);
  const cpu = ((cpuMs(agent.pid) - before) / (idleS * 1000)) * 100;
  const [rssMb, ownMb] = ['VmRSS', 'RssAnon'].map((name) => memoryMb(agent.pid, name));
  console.log(
    `${'idle'.padEnd(WIDTH)} ${cpu.toFixed(2)} % of a core, its children included; RSS ${rssMb?.toFixed(0)} MB${aimText(aimOf(leases, 'rssMb'), 'MB')}, of it not of the file ${ownMb?.toFixed(0)} MB`,
  );
  const latencies = await followEvents(leases, Number(option('events', '200')));
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
  console.log(
    `${'event in etcd to route in the kernel'.padEnd(WIDTH)} p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${sorted.length} events)`,
  );
  await agent.stop();
  removeUnderlay();
}

/** How much of the executable is resident depends on how it came into the page cache: just built, 15 MB more than read from the disk. */
function memoryMb(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
}

/** New leases, one after the other; `ip monitor` tells when the route of each is there. */
async function followEvents(leases: number, events: number): Promise<readonly number[]> {
  const monitor = spawn('ip', ['monitor', 'route'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const waiting = new Map<string, () => void>();
  createInterface(monitor.stdout).on('line', (line) => waiting.get(line.split(' ')[0] ?? '')?.());
  const latencies: number[] = [];
  await sleep(300);
  for (let event = 1; event <= events; event += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const startedAt = performance.now();
    const subnet = await writeLease(leases + event, (dst) => waiting.set(dst, resolve));
    await Promise.race([
      promise,
      sleep(10_000).then(() => Promise.reject(new Error(`no route to ${subnet} after 10 s`))),
    ]);
    latencies.push(performance.now() - startedAt);
    await sleep(20);
  }
  monitor.kill();
  return latencies;
}

function feedDirectly(leases: number): void {
  const desired = overlayOf(leases);
  const nothing = { links: [], strangers: {}, addresses: [], neighbours: [], fdb: [], routes: [] };
  const lines = renderPlan(planOverlay(desired, nothing, { removals: false }));
  const part = (pattern: RegExp) => lines.filter((line) => pattern.test(line));
  for (const [tool, own] of [
    ['ip', part(/^ip (link|address) /)],
    ['bridge', part(/^bridge /)],
    ['ip', part(/^ip (neigh|route) /)],
  ] as const) {
    execFileSync(tool, ['-batch', '-'], { input: own.map((line) => line.slice(tool.length + 1)).join('\n') });
  }
}

function onFreshUnderlay(work: () => void): number {
  makeUnderlay();
  const startedAt = performance.now();
  work();
  const took = performance.now() - startedAt;
  removeUnderlay();
  return took;
}

function makeUnderlay(): void {
  const lines = [
    'link add u0 type veth peer name u1',
    'link set u0 up',
    'link set u1 up',
    'addr add 172.16.0.1/12 dev u0',
  ];
  execFileSync('ip', ['-batch', '-'], { input: lines.join('\n') });
}

/** flannel.1 goes with it. */
function removeUnderlay(): void {
  execFileSync('ip', ['link', 'del', 'u0']);
}

function aimOf(leases: number, what: 'startMs' | 'rssMb'): number | undefined {
  const aims: Readonly<Record<number, { readonly startMs?: number; readonly rssMb?: number }>> = AIMS;
  return aims[leases]?.[what];
}

function aimText(aim: number | undefined, unit: string): string {
  return aim === undefined ? '' : `   (aim ${aim} ${unit})`;
}
