import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Etcd3 } from 'etcd3';
import pLimit from 'p-limit';
import { type EtcdServer, startEtcd } from '../test/support/etcd-server.ts';
import { measureProcesses, median, printMeasured } from './measure.ts';

// Listing and pruning leases in a real etcd, against etcdctl and against the shortest loop over the same calls. Build first.

const PREFIX = '/coreos.com/network';
const IN_FLIGHT = 64;
const flannelctl = process.argv[2] ?? join(import.meta.dirname, '../dist/flannelctl');
const folder = mkdtempSync(join(tmpdir(), 'fctl-bench-'));
const etcd = await startEtcd();
const client = new Etcd3({ hosts: etcd.endpoint });
const datastore = ['--etcd-endpoints', etcd.endpoint, '--timeout', '5m'] as const;
try {
  await client.put(`${PREFIX}/config`).value('{"Network":"10.0.0.0/8","SubnetLen":28,"Backend":{"Type":"vxlan"}}');
  await pruneThousand('1,000 of 1,000 keys');
  await seed(0, 10_000);
  compareKeys();
  const tenMs = await compareTimes(etcd);
  await pruneThousand('1,000 of 11,000 keys');
  await seed(10_000, 50_000);
  largest(tenMs);
} finally {
  client.close();
  await etcd.stop();
  rmSync(folder, { recursive: true });
}

/** Leases of their own, as flannel grants them. */
async function seed(from: number, to: number): Promise<void> {
  const limit = pLimit(IN_FLIGHT);
  const numbers = Array.from({ length: to - from }, (_, at) => from + at);
  await limit.map(numbers, async (number) => {
    const { ID } = await client.leaseClient.leaseGrant({ TTL: 86_400, ID: 0 });
    const value = Buffer.from(JSON.stringify(leaseValueOf(number)));
    await client.kv.put({ key: Buffer.from(`${PREFIX}/subnets/${subnetOf(number)}`), value, lease: ID });
  });
}

function subnetOf(number: number): string {
  const address = 0x0a_00_00_00 + number * 16;
  return `${[24, 16, 8, 0].map((bits) => (address >>> bits) & 0xff).join('.')}-28`;
}

function leaseValueOf(number: number) {
  const [high, low] = [(number >> 8) & 0xff, number & 0xff];
  const hex = (byte: number) => byte.toString(16).padStart(2, '0');
  const mac = `02:00:00:${hex(number >> 16)}:${hex(high)}:${hex(low)}`;
  const PublicIP = `172.${16 + (number >> 16)}.${high}.${low}`;
  return { PublicIP, PublicIPv6: null, BackendType: 'vxlan', BackendData: { VNI: 1, VtepMAC: mac } };
}

function compareKeys(): void {
  process.stdout.write('10,000 leases, keys and values\n');
  const list = [flannelctl, 'leases', 'list', ...datastore, '--no-ttl'] as const;
  printMeasured(
    measureProcesses(
      [
        { name: 'etcdctl get --prefix', argv: ['etcdctl', '--endpoints', etcd.endpoint, 'get', '--prefix', PREFIX] },
        { name: 'list --no-ttl', argv: list },
        { name: 'list --no-ttl -o json', argv: [...list, '-o', 'json'] },
      ],
      9,
    ),
    { 'list --no-ttl': 4 },
  );
}

/** Resolves to the time of a list with TTLs. */
async function compareTimes({ endpoint }: EtcdServer): Promise<number> {
  process.stdout.write('10,000 leases with the time left\n');
  const bare: number[] = [];
  const ours: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    bare.push(await timed(bareLoop));
    ours.push(await timed(() => list()));
  }
  const [bareMs, oursMs] = [median(bare), median(ours)];
  const oneMs = loopOfEtcdctl(endpoint);
  print('bare loop, 64 in flight', bareMs, '');
  print('list', oursMs, `${(oursMs / bareMs).toFixed(2)}x the bare loop (aim 1.30x)`);
  print('etcdctl lease timetolive', oneMs, 'a lease, one after the other');
  const times = (oneMs * 10_000) / oursMs;
  print('the same for 10,000', oneMs * 10_000, `list is ${times.toFixed(0)} times faster (aim 80)`);
  return oursMs;
}

/** The least that can be done: all keys, then the time of every lease. */
async function bareLoop(): Promise<void> {
  const { kvs } = await client.kv.range({
    key: Buffer.from(`${PREFIX}/subnets`),
    range_end: Buffer.from(`${PREFIX}/subnett`),
  });
  await pLimit(IN_FLIGHT).map(kvs, ({ lease }) => client.leaseClient.leaseTimeToLive({ ID: lease }));
}

function loopOfEtcdctl(endpoint: string): number {
  const keys = execFileSync('etcdctl', ['--endpoints', endpoint, 'lease', 'list'], { encoding: 'utf8' });
  const ids = keys.split('\n').filter((line) => /^[0-9a-f]{16}$/.test(line));
  const sample = ids.slice(0, 40);
  const startedAt = performance.now();
  for (const id of sample) {
    execFileSync('etcdctl', ['--endpoints', endpoint, 'lease', 'timetolive', id], { stdio: 'ignore' });
  }
  return (performance.now() - startedAt) / sample.length;
}

/** The second time it has to read the time left of the others. */
async function pruneThousand(what: string): Promise<void> {
  process.stdout.write(`prune of ${what}\n`);
  const durations: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    await pLimit(IN_FLIGHT).map(
      Array.from({ length: 1000 }, (_, at) => at),
      (at) => client.put(`${PREFIX}/subnets/junk-${at}`).value('junk'),
    );
    const prune = ['leases', 'prune', ...datastore, '--yes', '-q', '--max', '1000', '--backup-dir', folder];
    durations.push(await timed(() => run(prune)));
  }
  print('prune --yes', median(durations), '(aim 2000 ms)');
}

/** Memory is that of the whole process at its largest. */
function largest(tenMs: number): void {
  process.stdout.write('50,000 leases\n');
  for (const format of ['text', 'json', 'name'] as const) {
    const argv = ['-f', '%e %M', flannelctl, 'leases', 'list', ...datastore, '-o', format];
    const { stderr, status } = spawnSync('/usr/bin/time', argv, {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    const [seconds = Number.NaN, kilobytes = Number.NaN] = (stderr.trim().split('\n').at(-1) ?? '')
      .split(' ')
      .map(Number);
    const ratio = (seconds * 1000) / tenMs;
    print(
      `list -o ${format}`,
      seconds * 1000,
      `${ratio.toFixed(1)}x of 10,000 (5 is linear), ${Math.round(kilobytes / 1024)} MB (aim 250)`,
    );
  }
}

function list(): void {
  run(['leases', 'list', ...datastore]);
}

function run(argv: readonly string[]): void {
  const { status, stderr } = spawnSync(flannelctl, argv, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (status !== 0) throw new Error(`flannelctl ${argv.join(' ')} ended with ${status}: ${stderr}`);
}

async function timed(work: () => void | Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function print(name: string, ms: number, more: string): void {
  process.stdout.write(`${name.padEnd(26)} ${ms.toFixed(1).padStart(9)} ms  ${more}\n`);
}
