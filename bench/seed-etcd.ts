import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';

const ENDPOINT = 'http://127.0.0.1:2379';
/** On a bridge, too, where the benchmark has one. */
const LISTEN = 'http://0.0.0.0:2379';
const PREFIX = '/coreos.com/network';

/** etcd refuses a transaction of more than 128 operations. */
const AT_ONCE = 100;

/** An etcd in this network namespace. */
export async function startBenchEtcd(dataDir: string): Promise<ChildProcess> {
  const peer = 'http://127.0.0.1:2380';
  const etcd = spawn(
    'etcd',
    [
      ...['--name', 'bench', '--data-dir', dataDir, '--log-level', 'error'],
      ...['--listen-client-urls', LISTEN, '--advertise-client-urls', ENDPOINT],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `bench=${peer}`],
    ],
    { stdio: 'ignore' },
  );
  for (let tries = 0; tries < 200; tries += 1) {
    const health = await fetch(`${ENDPOINT}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (health) return etcd;
    await sleep(50);
  }
  etcd.kill('SIGKILL');
  throw new Error('etcd did not come up');
}

/** The configuration, and the leases of nodes 2 to `count` + 1, each with a day left. Node 1 is who is measured. */
export async function seedEtcd(count: number): Promise<void> {
  const lease = await grant();
  const config = { Network: '10.0.0.0/8', SubnetLen: 24, Backend: { Type: 'vxlan' } };
  await call('kv/put', { key: base64(`${PREFIX}/config`), value: base64(JSON.stringify(config)) });
  const puts = Array.from({ length: count }, (_, at) => putOf(at + 2, lease));
  for (let from = 0; from < puts.length; from += AT_ONCE) {
    const success = puts.slice(from, from + AT_ONCE).map((put) => ({ requestPut: put }));
    await call('kv/txn', { success });
  }
}

/** One more lease, written as flannel does; `beforeWrite` learns its subnet. */
export async function writeLease(index: number, beforeWrite: (subnet: string) => void): Promise<string> {
  const put = putOf(index + 1, await grant());
  beforeWrite(put.subnet);
  await call('kv/put', put);
  return put.subnet;
}

function putOf(index: number, lease: string) {
  const [high, low] = [Math.floor(index / 250), (index % 250) + (index >= 250 ? 1 : 0)];
  const mac = `02:00:00:00:${hex(index >> 8)}:${hex(index & 0xff)}`;
  const value = {
    PublicIP: `172.16.${high}.${low}`,
    PublicIPv6: null,
    BackendType: 'vxlan',
    BackendData: { VNI: 1, VtepMAC: mac },
  };
  const key = base64(`${PREFIX}/subnets/10.${high}.${low}.0-24`);
  return { key, value: base64(JSON.stringify(value)), lease, subnet: `10.${high}.${low}.0/24` };
}

const grantSchema = v.object({ ID: v.string() });

/** A day, as flannel asks for. */
async function grant(): Promise<string> {
  return v.parse(grantSchema, await call('lease/grant', { TTL: '86400' })).ID;
}

async function call(path: string, { subnet, ...body }: Record<string, unknown>): Promise<unknown> {
  const response = await fetch(`${ENDPOINT}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`etcd ${path}: ${await response.text()}`);
  return response.json();
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}
