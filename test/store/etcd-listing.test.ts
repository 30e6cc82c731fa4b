import pLimit from 'p-limit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openConnections } from '../../src/store/etcd-connection.ts';
import type { LeasePage } from '../../src/store/store.ts';
import { closeAll, open, proxies, selectionOf } from '../support/etcd-client.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { startProxy } from '../support/proxy.ts';
import { host } from '../support/store-benches.ts';

let etcd: EtcdServer;
let prefix = '';
let count = 0;
beforeAll(async () => {
  // etcd itself takes 1.5 MiB a request
  etcd = await startEtcd({ flags: ['--max-request-bytes', '20000000'] });
});
afterAll(() => etcd.stop());
beforeEach(() => {
  count += 1;
  prefix = `/list-${count}`;
});
afterEach(closeAll);

describe('a listing', () => {
  test('of more than a page is whole, in order and of one revision', async () => {
    await fill(2500, { leased: false });
    const store = await open([etcd.endpoint], { prefix }, { timeoutMs: 10_000 });
    const { records, revision } = await store.listLeases();
    expect(new Set(records.map(({ key }) => key)).size).toBe(2500);
    expect(records.map(({ key }) => key)).toEqual(records.map(({ key }) => key).toSorted());
    expect(records.every(({ modRevision }) => BigInt(modRevision) <= BigInt(revision))).toBe(true);
  });

  test('tells its first rows while the rest is read', async () => {
    await fill(2500, { leased: true });
    const pages: LeasePage[] = [];
    const store = await open([etcd.endpoint], { prefix }, { timeoutMs: 10_000 });
    let firstMs = Number.POSITIVE_INFINITY;
    const start = performance.now();
    const onPage = (page: LeasePage) => {
      firstMs = Math.min(firstMs, performance.now() - start);
      pages.push(page);
    };
    const { records } = await store.listLeases({ onPage });
    expect(firstMs).toBeLessThan((performance.now() - start) * 0.8);
    expect(pages.flatMap((page) => page.records)).toEqual(records);
    expect(records.every(({ expiresAt }) => typeof expiresAt === 'number')).toBe(true);
  });

  test('begins again when its revision is compacted under its hands, and says so', async () => {
    await fill(2500, { leased: false });
    const proxy = await startProxy(etcd.port);
    proxies.push(proxy);
    const store = await open([`http://127.0.0.1:${proxy.port}`], { prefix }, { timeoutMs: 10_000 });
    await expect(store.readNetworkConfig()).rejects.toMatchObject({ code: 'absent' });
    // the first page has been read when the second is asked for
    let pagesAsked = 0;
    const nextPage = Buffer.from(`${prefix}/subnets/`);
    proxy.spy((bytes) => {
      if (bytes.includes(nextPage)) pagesAsked += 1;
      if (pagesAsked === 1) proxy.set('stalled-to-server');
    });
    const pages: LeasePage[] = [];
    const listing = store.listLeases({ ttl: false, onPage: (page) => pages.push(page) });
    while (pagesAsked === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await etcd.ctl('put', `${prefix}/subnets/10.99.9.0-24`, '{}');
    const { header } = JSON.parse(await etcd.ctl('get', '/none', '-w', 'json'));
    await etcd.ctl('compact', String(header.revision));
    pagesAsked = 2;
    proxy.set('open');
    proxy.cut();
    const { records, revision } = await listing;
    expect(records).toHaveLength(2501);
    const last = pages.filter((page) => page.revision === revision);
    expect(last.flatMap((page) => page.records)).toHaveLength(2501);
    expect(pages.length).toBeGreaterThanOrEqual(last.length);
  });

  test('reads values of ten megabytes, more of them than one answer may hold, and shows little of them', async () => {
    for (let id = 0; id < 8; id += 1) await put(`10.244.${id}.0-24`, Buffer.alloc(10_000_000, 'x'));
    const store = await open([etcd.endpoint], { prefix }, { timeoutMs: 15_000 });
    const { records } = await store.listLeases();
    expect(records).toHaveLength(8);
    expect(JSON.stringify(records).length).toBeLessThan(10_000);
    const [first] = records;
    if (first !== undefined) await store.remove(first);
    expect((await store.listLeases({ ttl: false })).records).toHaveLength(7);
  });
});

async function put(key: string, value: Buffer): Promise<void> {
  const [connection] = await openConnections({
    ...{ selection: selectionOf([etcd.endpoint]), host, secrets: {}, timeoutMs: 30_000 },
  });
  await connection?.kv.put({ key: Buffer.from(`${prefix}/subnets/${key}`), value });
  connection?.close();
}

/** As many records; `leased`: each with an etcd lease of its own. */
async function fill(records: number, { leased }: { readonly leased: boolean }): Promise<void> {
  const options = { selection: selectionOf([etcd.endpoint]), host, secrets: {}, timeoutMs: 30_000 };
  const [connection] = await openConnections(options);
  const limit = pLimit(128);
  const grant = async () => (leased ? ((await connection?.lease.leaseGrant({ TTL: 86_400 }))?.ID ?? '0') : '0');
  const leases = await Promise.all(Array.from({ length: records }, () => limit(grant)));
  const puts = leases.map((lease, id) => ({
    request_put: {
      key: Buffer.from(`${prefix}/subnets/10.${id >> 8}.${id & 255}.0-24`),
      value: Buffer.from(`{"PublicIP":"192.${id >> 8}.2.${id & 255}"}`),
      lease,
    },
  }));
  for (let start = 0; start < records; start += 100) {
    await connection?.kv.txn({ success: puts.slice(start, start + 100) });
  }
  connection?.close();
}
