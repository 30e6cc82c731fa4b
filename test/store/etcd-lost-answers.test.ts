import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Lease, SubnetStore } from '../../src/store/store.ts';
import { attributes, closeAll, failureOf, open, proxies } from '../support/etcd-client.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { type ProxyMode, startProxy, type TcpProxy } from '../support/proxy.ts';

const CONFIG = '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}';
/** In what a transaction sends, and in no reading: the value, or in a removal the key for the third time. */
const MARK = /PublicIP|Network"|(subnets\/10\.[\d.]+-24.*){3}/s;

const TIMEOUT_MS = 900;

let etcd: EtcdServer;
let prefix = '';
let count = 0;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());
beforeEach(async () => {
  count += 1;
  prefix = `/lost-${count}`;
  await etcd.ctl('put', `${prefix}/config`, CONFIG);
});
afterEach(closeAll);

interface Trap {
  readonly store: SubnetStore;
  /** The next transaction that is sent meets this. */
  arm(mode: ProxyMode | 'cut'): void;
  /** Transactions seen. */
  readonly sent: number;
}

/** The endpoint in front is quicker than the other one; `others` 0: it is the only one. */
async function trap({ others }: { readonly others: 0 | 1 }): Promise<Trap> {
  const front = await proxied(0);
  const back = others === 0 ? [] : [await proxied(15)];
  const urls = [front, ...back].map(({ port }) => `http://127.0.0.1:${port}`);
  const store = await open(urls, { prefix }, { timeoutMs: TIMEOUT_MS });
  await store.readNetworkConfig();
  let armed: ProxyMode | 'cut' | undefined;
  let sent = 0;
  for (const proxy of [front, ...back]) {
    proxy.spy((bytes) => {
      if (!MARK.test(bytes.toString('latin1'))) return;
      sent += 1;
      if (armed === 'cut') setTimeout(() => proxy.cut(), 1);
      else if (armed !== undefined) proxy.set(armed);
      armed = undefined;
    });
  }
  return {
    store,
    arm: (mode) => {
      armed = mode;
    },
    get sent() {
      return sent;
    },
  };
}

async function proxied(delayMs: number): Promise<TcpProxy> {
  const proxy = await startProxy(etcd.port);
  proxy.delay(delayMs);
  proxies.push(proxy);
  return proxy;
}

/** How often the record was written since it was made; 0: there is none. */
async function versionOf(key: string): Promise<number> {
  const { kvs = [] } = JSON.parse(await etcd.ctl('get', `${prefix}/subnets/${key}`, '-w', 'json'));
  return kvs[0]?.version ?? 0;
}

describe('a write that took effect and whose answer is lost', () => {
  test('is found out to have renewed the lease, once', async () => {
    const { store, arm } = await trap({ others: 1 });
    const lease = await store.acquire({ attributes });
    arm('stalled-to-client');
    const renewed = await store.renew(lease, lease.attributes);
    expect(await versionOf(lease.key)).toBe(2);
    expect((await store.listLeases()).records[0]).toMatchObject({
      modRevision: renewed.modRevision,
      etcdLease: renewed.etcdLease,
    });
  });

  test('is found out to have made the lease, once', async () => {
    const { store, arm } = await trap({ others: 1 });
    arm('stalled-to-client');
    const lease = await store.acquire({ attributes });
    expect((await store.listLeases()).records).toEqual([{ ...lease, expiresAt: expect.any(Number) }]);
    expect(await versionOf(lease.key)).toBe(1);
  });

  test('is found out to have removed the record', async () => {
    const { store, arm } = await trap({ others: 1 });
    const lease = await store.acquire({ attributes });
    arm('stalled-to-client');
    await store.remove(lease);
    expect(await versionOf(lease.key)).toBe(0);
  });

  test('is found out to have put the record back', async () => {
    const { store, arm } = await trap({ others: 1 });
    arm('stalled-to-client');
    const record = await store.putBack(dumped('10.244.7.0-24'), 600);
    expect(await versionOf(record.key)).toBe(1);
    expect((await store.listLeases()).records[0]?.modRevision).toBe(record.modRevision);
  });

  test('is found out to have written the network configuration', async () => {
    const { store, arm } = await trap({ others: 1 });
    const { modRevision } = await store.readNetworkConfig();
    arm('stalled-to-client');
    const written = await store.writeNetworkConfig(CONFIG.replace('244', '245'), modRevision);
    expect(await store.readNetworkConfig()).toEqual(written);
  });

  test('is found out through the same endpoint when its connection was cut', async () => {
    const { store, arm } = await trap({ others: 0 });
    const lease = await store.acquire({ attributes });
    arm('cut');
    await store.renew(lease, lease.attributes);
    expect(await versionOf(lease.key)).toBe(2);
  });
});

describe('a write that was lost on its way', () => {
  test('renews the lease through another endpoint, once', async () => {
    const { store, arm } = await trap({ others: 1 });
    const lease = await store.acquire({ attributes });
    arm('stalled');
    await store.renew(lease, lease.attributes);
    expect(await versionOf(lease.key)).toBe(2);
  });

  test('removes the record through another endpoint', async () => {
    const { store, arm } = await trap({ others: 1 });
    const lease = await store.acquire({ attributes });
    arm('stalled');
    await store.remove(lease);
    expect(await versionOf(lease.key)).toBe(0);
  });

  test('is not sent again where that could make a record that was removed meanwhile', async () => {
    const bait = await trap({ others: 1 });
    bait.arm('stalled');
    const { error, tookMs } = await failureOf(bait.store.acquire({ attributes }));
    expect(error?.message).toMatch(/10\.244\.\d+\.0-24 was written$/);
    expect(error?.message).toContain('it is not known whether');
    expect(bait.sent).toBe(1);
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
  });

  test.each([
    ['renewal', (store: SubnetStore, lease: Lease) => store.renew(lease, lease.attributes)],
    ['removal', (store: SubnetStore, lease: Lease) => store.remove(lease)],
  ])('is said to be unknown when nobody can be asked: a %s', async (_, work) => {
    const { store, arm } = await trap({ others: 0 });
    const lease = await store.acquire({ attributes });
    arm('stalled-to-client');
    const { error, tookMs } = await failureOf(work(store, lease));
    expect(error).toMatchObject({ exitCode: 69, reason: 'timeout' });
    expect(error.message).toMatch(
      /^etcd http:\/\/127\.0\.0\.1:\d+ did not answer.*it is not known whether .* was written$/,
    );
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
  });
});

test('a renewal whose answer is lost keeps the etcd lease that may hold the record', async () => {
  const { store, arm } = await trap({ others: 0 });
  const lease = await store.acquire({ attributes });
  arm('stalled-to-client');
  await failureOf(store.renew(lease, lease.attributes));
  const direct = await open([etcd.endpoint], { prefix });
  const [record] = (await direct.listLeases()).records;
  expect(record?.expiresAt).toBeGreaterThan(Date.now() + 86_000_000);
});

function dumped(key: string) {
  const valueBase64 = Buffer.from('{"PublicIP":"192.0.2.1"}').toString('base64');
  return { key, valueBase64, modRevision: '1', etcdLease: null, ttlSeconds: null };
}
