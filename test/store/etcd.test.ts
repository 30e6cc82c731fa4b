import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { liveHost } from '../../src/host/live.ts';
import { openConnections } from '../../src/store/etcd-connection.ts';
import type { EtcdSelection } from '../../src/store/store.ts';
import {
  attributes,
  closeAll,
  failureOf,
  open,
  PREFIX,
  proxies,
  stalledEndpoint,
  TIMEOUT_MS,
} from '../support/etcd-client.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { freePort } from '../support/free-port.ts';
import { startProxy } from '../support/proxy.ts';

afterEach(closeAll);

describe('an etcd without authentication', () => {
  let etcd: EtcdServer;
  beforeAll(async () => {
    etcd = await startEtcd();
    await etcd.ctl('put', `${PREFIX}/config`, '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}');
  });
  afterAll(() => etcd.stop());

  test('names the endpoint that refuses the connection, at once', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const { error, tookMs } = await failureOf((await open([endpoint])).listLeases());
    expect(error).toMatchObject({ reason: 'unreachable', message: `etcd ${endpoint} refused the connection` });
    expect(tookMs).toBeLessThan(TIMEOUT_MS / 2);
  });

  test('names the endpoint that takes the connection and never answers, within the time limit', async () => {
    const endpoint = await stalledEndpoint(etcd.port);
    const { error, tookMs } = await failureOf((await open([endpoint])).readNetworkConfig());
    expect(error).toMatchObject({ reason: 'timeout', message: `etcd ${endpoint} did not answer within 1.5 s` });
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
  });

  test('needs no more time for three silent endpoints than for one, and names all', async () => {
    const endpoints = await Promise.all([1, 2, 3].map(() => stalledEndpoint(etcd.port)));
    const { error, tookMs } = await failureOf((await open(endpoints)).listLeases());
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
    for (const endpoint of endpoints) expect(error.message).toContain(endpoint);
  });

  test('does not wait for a silent endpoint while another one answers', async () => {
    const store = await open([await stalledEndpoint(etcd.port), etcd.endpoint]);
    const { error, tookMs } = await failureOf(store.readNetworkConfig());
    expect(error).toBeUndefined();
    expect(tookMs).toBeLessThan(TIMEOUT_MS / 2);
  });

  test('acquires through the endpoint that is alive', async () => {
    const store = await open([`http://127.0.0.1:${await freePort()}`, etcd.endpoint]);
    expect((await store.acquire({ attributes })).subnet).toMatch(/^10\.244\./);
  });

  test('answers again after its connection was cut', async () => {
    const proxy = await startProxy(etcd.port);
    proxies.push(proxy);
    const store = await open([`http://127.0.0.1:${proxy.port}`]);
    await store.readNetworkConfig();
    proxy.cut();
    await expect(store.readNetworkConfig()).resolves.toMatchObject({ source: `etcdctl get ${PREFIX}/config` });
  });

  test('says so when an endpoint goes silent between two calls', async () => {
    const proxy = await startProxy(etcd.port);
    proxies.push(proxy);
    const store = await open([`http://127.0.0.1:${proxy.port}`]);
    await store.readNetworkConfig();
    proxy.set('stalled-to-client');
    const { error, tookMs } = await failureOf(store.listLeases());
    expect(error).toMatchObject({ reason: 'timeout' });
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
  });

  test('names an endpoint whose name does not resolve', async () => {
    const { error } = await failureOf((await open(['http://etcd.invalid:2379'])).listLeases());
    expect(error.message).toContain('etcd http://etcd.invalid:2379');
  });

  test('never shows a password written into an endpoint', async () => {
    const store = await open([`http://root:hunter2@127.0.0.1:${await freePort()}`]);
    const { error } = await failureOf(store.listLeases());
    expect(`${store.description} ${error.message} ${error.stack}`).not.toContain('hunter2');
  });

  test('does not follow http_proxy', async () => {
    process.env['http_proxy'] = `http://127.0.0.1:${await freePort()}`;
    try {
      await expect((await open([etcd.endpoint])).readNetworkConfig()).resolves.toBeDefined();
    } finally {
      delete process.env['http_proxy'];
    }
  });

  test('gives back the etcd lease of an attempt that lost', async () => {
    const small = await open([etcd.endpoint], { prefix: '/race' });
    await small.writeNetworkConfig('{"Network":"10.9.0.0/22","SubnetLen":24,"Backend":{"Type":"vxlan"}}', null);
    const before = (await etcd.ctl('lease', 'list')).split('\n').length;
    const nodes = [1, 2, 3, 4, 5, 6].map((last) => ({ ...attributes, publicIp: `192.0.2.${last}` }));
    await Promise.allSettled(nodes.map((node) => small.acquire({ attributes: node })));
    expect((await etcd.ctl('lease', 'list')).split('\n').length - before).toBe(3);
  });

  test('leaves a key under another prefix out', async () => {
    await etcd.ctl('put', '/mine/subnets/10.1.1.0-24', '{"PublicIP":"192.0.2.1"}');
    await etcd.ctl('put', '/mine/subnett/10.1.2.0-24', '{"PublicIP":"192.0.2.2"}');
    const { records } = await (await open([etcd.endpoint], { prefix: '/mine' })).listLeases();
    expect(records.map(({ key }) => key)).toEqual(['10.1.1.0-24']);
  });

  test('reads the times of 2,000 leases side by side, not one after the other', async () => {
    await fill(etcd.endpoint, 2000);
    const proxy = await startProxy(etcd.port);
    proxies.push(proxy);
    proxy.delay(5);
    const store = await open([`http://127.0.0.1:${proxy.port}`], { prefix: '/many' }, { timeoutMs: 15_000 });
    const start = performance.now();
    const { records } = await store.listLeases();
    // one after the other: 2,000 round trips of 10 ms
    expect(performance.now() - start).toBeLessThan(5000);
    expect(records).toHaveLength(2000);
    expect(records.every(({ kind, expiresAt }) => kind === 'lease' && typeof expiresAt === 'number')).toBe(true);
  }, 60_000);

  test('names an endpoint that has no port', async () => {
    const { error } = await failureOf((await open(['http://10.0.0.1'])).listLeases());
    expect(error.message).toBe('etcd http://10.0.0.1 has no port');
  });

  test('keeps no process alive after close, whatever the endpoints do', async () => {
    const endpoints = [await stalledEndpoint(etcd.port), etcd.endpoint, 'http://192.0.2.77:2379'];
    const module = new URL('../../src/store/etcd.ts', import.meta.url).href;
    const none = { keyFile: '', certFile: '', caFile: '', username: '' };
    const selection = { kind: 'etcd', endpoints, prefix: PREFIX, ...none };
    const script = `
      import { openEtcdStore } from '${module}';
      const options = { selection: ${JSON.stringify(selection)}, host: {}, secrets: {}, timeoutMs: 1000 };
      const store = await openEtcdStore(options);
      await store.readNetworkConfig();
      await store.close();
      const closedAt = Date.now();
      process.on('exit', () => console.log(Date.now() - closedAt));`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 15_000 });
    expect(Number((await run).stdout)).toBeLessThan(300);
  });
});

/** As many records, each with an etcd lease of its own. */
async function fill(endpoint: string, count: number): Promise<void> {
  const none = { keyFile: '', certFile: '', caFile: '', username: '' };
  const selection: EtcdSelection = { kind: 'etcd', endpoints: [endpoint], prefix: '/many', ...none };
  const options = { selection, host: liveHost({ root: '/' }), secrets: {}, timeoutMs: 30_000 };
  const [connection] = await openConnections(options);
  const put = async (id: number) => {
    const granted = await connection?.lease.leaseGrant({ TTL: 86_400 });
    const key = Buffer.from(`/many/subnets/10.${id >> 8}.${id & 255}.0-24`);
    const value = Buffer.from(`{"PublicIP":"192.${id >> 8}.2.${id & 255}"}`);
    await connection?.kv.put({ key, value, lease: granted?.ID ?? '0' });
  };
  const limit = pLimit(64);
  await Promise.all(Array.from({ length: count }, (_, id) => limit(() => put(id))));
  connection?.close();
}
