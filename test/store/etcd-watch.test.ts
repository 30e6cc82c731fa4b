import pLimit from 'p-limit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRawEtcd, type RawEtcd } from '../../src/store/etcd.ts';
import { type EtcdConnection, openConnections } from '../../src/store/etcd-connection.ts';
import type { StoreEvent, SubnetStore } from '../../src/store/store.ts';
import { closeAll, open, proxies, selectionOf } from '../support/etcd-client.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';
import { host } from '../support/store-benches.ts';
import { briefly, countOf, watching } from '../support/watching.ts';

let etcd: EtcdServer;
let raw: RawEtcd;
let direct: EtcdConnection;
let prefix = '';
let count = 0;
beforeAll(async () => {
  etcd = await startEtcd({ flags: ['--experimental-watch-progress-notify-interval', '1s'] });
});
afterAll(() => etcd.stop());
beforeEach(async () => {
  count += 1;
  prefix = `/watch-${count}`;
  const options = { selection: selectionOf([etcd.endpoint], { prefix }), host, secrets: {}, timeoutMs: 5000 };
  raw = await openRawEtcd(options);
  const [connection] = await openConnections(options);
  if (connection === undefined) throw new Error('there is no connection');
  direct = connection;
});
afterEach(async () => {
  direct.close();
  await raw.close();
  await closeAll();
});

async function throughProxy(): Promise<{ readonly proxy: TcpProxy; readonly store: SubnetStore }> {
  const proxy = await startProxy(etcd.port);
  proxies.push(proxy);
  return { proxy, store: await open([`http://127.0.0.1:${proxy.port}`], { prefix }) };
}

/** `10.244.0.0-24` … */
function keyOf(id: number): string {
  return `10.${244 + (id >> 16)}.${(id >> 8) & 255}.${id & 255}-32`.replace('-32', '-30');
}

/** As many writes, each of its own revision. */
async function write(ids: readonly number[]): Promise<void> {
  const limit = pLimit(64);
  const put = (id: number) =>
    direct.kv.put({
      key: Buffer.from(`${prefix}/subnets/${keyOf(id)}`),
      value: Buffer.from('{"PublicIP":"192.0.2.1"}'),
    });
  await Promise.all(ids.map((id) => limit(() => put(id))));
}

/** In one revision, with values of 450 kB. */
async function putTogether(ids: readonly number[]): Promise<void> {
  const value = Buffer.from('x'.repeat(450_000));
  const puts = ids.map((id) => ({ key: Buffer.from(`${prefix}/subnets/${keyOf(id)}`), value }));
  await direct.kv.txn({ compare: [], success: puts.map((request_put) => ({ request_put })), failure: [] });
}

function putKeys(events: readonly StoreEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'put' ? [event.record.key] : []));
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe('a watch of etcd', () => {
  test('tells each of 3,000 writes once while its connection is cut again and again', async () => {
    const { proxy, store } = await throughProxy();
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    for (let start = 0; start < 3000; start += 300) {
      const writing = write(range(start, start + 300));
      await new Promise((resolve) => setTimeout(resolve, 150));
      proxy.cut();
      await writing;
    }
    await watch.until((events) => putKeys(events).length >= 3000);
    const keys = putKeys(watch.events);
    expect(watch.interruptions.length).toBeGreaterThan(3);
    expect(new Set(keys).size).toBe(3000);
    expect(keys).toHaveLength(3000);
    assertRevisionsRise(watch.events);
    await watch.end();
  });

  test('loses nothing when it is cut after etcd said "created" and before the past was sent', async () => {
    const { proxy, store } = await throughProxy();
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    proxy.set('stalled');
    proxy.cut();
    await write(range(0, 2000));
    // slow enough for the cuts to fall between the pieces of what etcd sends
    proxy.set('open');
    proxy.delay(3);
    for (let round = 0; round < 10; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 40 + 13 * round));
      proxy.cut();
    }
    proxy.delay(0);
    await watch.until((events) => putKeys(events).length >= 2000);
    expect(putKeys(watch.events)).toHaveLength(2000);
    assertRevisionsRise(watch.events);
    await watch.end();
  });

  test('begins again with a snapshot where etcd has compacted what it missed', async () => {
    const { proxy, store } = await throughProxy();
    await raw.put(keyOf(1), '{}');
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    proxy.set('stalled');
    proxy.cut();
    await raw.put(keyOf(2), '{}');
    await raw.delete(keyOf(1));
    await compact();
    proxy.set('open');
    proxy.cut();
    await watch.until((events) => countOf(events, 'snapshot') === 2);
    await raw.put(keyOf(3), '{}');
    await watch.until((events) => countOf(events, 'put') === 1);
    expect(watch.events.map(briefly)).toEqual(['snapshot null 1', 'snapshot compacted 1', `put ${keyOf(3)}`]);
    await watch.end();
  });

  test('is not disturbed by a compaction of what it has told', async () => {
    const store = await open([etcd.endpoint], { prefix });
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    await write(range(0, 20));
    await watch.until((events) => countOf(events, 'put') === 20);
    await compact();
    await write(range(20, 30));
    await watch.until((events) => countOf(events, 'put') === 30);
    expect(countOf(watch.events, 'snapshot')).toBe(1);
    await watch.end();
  });

  test('stays up to date while only others write, so that their compaction costs nothing', async () => {
    const { proxy, store } = await throughProxy();
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    await etcd.ctl('put', '/elsewhere', 'x');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await compact();
    proxy.cut();
    await watch.until((events) => events.length === 2);
    expect(watch.events.map(briefly)).toEqual(['snapshot null 0', 'snapshot reconnected 0']);
    await watch.end();
  });

  test('tells what happened while it was cut off, after a snapshot of what it had told', async () => {
    const { proxy, store } = await throughProxy();
    await raw.put(keyOf(1), '{}');
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    proxy.set('stalled');
    proxy.cut();
    await raw.delete(keyOf(1));
    await raw.put(keyOf(1), '{}');
    proxy.set('open');
    proxy.cut();
    await watch.until((events) => countOf(events, 'put') === 1);
    const told = ['snapshot null 1', 'snapshot reconnected 1', `delete ${keyOf(1)}`, `put ${keyOf(1)}`];
    expect(watch.events.map(briefly)).toEqual(told);
    expect(watch.interruptions[0]?.message).toMatch(/^etcd http:\/\/127\.0\.0\.1:\d+ /);
    await watch.end();
  });

  test('catches up with more than one message may hold, written while it was cut off', async () => {
    const { proxy, store } = await throughProxy();
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    proxy.set('stalled');
    proxy.cut();
    const junk = 'x'.repeat(1_400_000);
    for (const id of range(0, 60)) await raw.put(keyOf(id % 10), junk);
    await raw.put(keyOf(99), '{}');
    proxy.set('open');
    proxy.cut();
    await watch.until((events) => putKeys(events).includes(keyOf(99)));
    expect(countOf(watch.events, 'put')).toBe(61);
    assertRevisionsRise(watch.events);
    await watch.end();
  }, 60_000);

  test('tells a revision whole, or again, where a message was broken within it and the rest was lost', async () => {
    const { proxy, store } = await throughProxy();
    let cutAt = Number.POSITIVE_INFINITY;
    const watch = watching(store, () => {
      if (countOf(watch.events, 'put') === cutAt) proxy.cut();
    });
    await watch.until((events) => events.length === 1);
    proxy.set('stalled');
    proxy.cut();
    // etcd breaks a message at 2 MiB: after the first key of the fifth
    for (const round of range(0, 12)) await putTogether([1, 2, 3].map((id) => 3 * round + id));
    cutAt = 1;
    proxy.set('open');
    proxy.cut();
    await watch.until((events) => putKeys(events).includes(keyOf(36)));
    expect(putKeys(watch.events)).toEqual(range(1, 37).map(keyOf));
    expect(countOf(watch.events, 'snapshot')).toBeGreaterThan(2);
    await watch.end();
  }, 60_000);

  test('notices a link that lets nothing through to us any more', async () => {
    const { proxy, store } = await throughProxy();
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    await raw.put(keyOf(1), '{}');
    await watch.until((events) => countOf(events, 'put') === 1);
    proxy.set('stalled-to-client');
    await raw.put(keyOf(2), '{}');
    await watch.until(() => watch.interruptions.length > 0);
    proxy.set('open');
    proxy.cut();
    await watch.until((events) => countOf(events, 'put') === 2);
    expect(putKeys(watch.events)).toEqual([keyOf(1), keyOf(2)]);
    await watch.end();
  }, 30_000);

  test('makes etcd wait, and not this process grow, when the reader is slow', async () => {
    const { proxy, store } = await throughProxy();
    let isSlow = false;
    const watch = watching(store, async ({ type }) => {
      while (isSlow && type === 'put') await new Promise((resolve) => setTimeout(resolve, 20));
    });
    await watch.until((events) => events.length === 1);
    // from here on etcd sends each change by itself; what comes before a watch is there comes with others in one message
    await raw.put(keyOf(0), '{}');
    await watch.until((events) => countOf(events, 'put') === 1);
    isSlow = true;
    const junk = 'x'.repeat(100_000);
    for (let start = 0; start < 150; start += 30) {
      await Promise.all(range(start, start + 30).map((id) => raw.put(keyOf(id % 10), junk)));
    }
    // 15 MB were written. The proxy takes from etcd whatever etcd sends, and etcd sends what this process has room for: the window of one
    // stream (1 MiB) is filled to the byte, however busy the machine is.
    expect(proxy.bytesToClient).toBeLessThan(1_500_000);
    isSlow = false;
    await watch.until((events) => countOf(events, 'put') === 151);
    expect(countOf(watch.events, 'snapshot')).toBe(1);
    await watch.end();
  }, 60_000);

  test('goes on after etcd was killed and started again', async () => {
    const store = await open([etcd.endpoint], { prefix });
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    await write(range(0, 5));
    await etcd.kill();
    await etcd.restart();
    await write(range(5, 10));
    await watch.until((events) => countOf(events, 'put') === 10);
    expect(new Set(putKeys(watch.events)).size).toBe(10);
    await watch.end();
  });

  test('says that the first snapshot cannot be read', async () => {
    const proxy = await startProxy(etcd.port, 'stalled');
    proxies.push(proxy);
    const watch = watching(await open([`http://127.0.0.1:${proxy.port}`], { prefix }));
    await expect(watch.until((events) => events.length > 0)).rejects.toMatchObject({ reason: 'timeout' });
  });
});

async function compact(): Promise<void> {
  const { header } = JSON.parse(await etcd.ctl('get', '/none', '-w', 'json'));
  await etcd.ctl('compact', String(header.revision));
}

/** Nothing is told twice, or after what came later. */
function assertRevisionsRise(events: readonly StoreEvent[]): void {
  let last = 0n;
  for (const event of events) {
    const revision = BigInt(event.type === 'snapshot' ? event.listing.revision : event.revision);
    if (event.type === 'snapshot' ? revision < last : revision <= last)
      throw new Error(`${revision} came after ${last}`);
    last = revision;
  }
}
