import { afterAll, describe, expect, test } from 'vitest';
import { sharedBenches } from '../support/shared-benches.ts';
import { attributesOf, CONFIG, configured, requestOf } from '../support/store-benches.ts';
import { briefly, countOf, watching } from '../support/watching.ts';

const KEY = '10.244.7.0-24';
const OWNER = '{"PublicIP":"192.0.2.1"}';

const benches = sharedBenches();
afterAll(() => benches.close());

describe.each(['etcd', 'file'] as const)('a watch of the %s store', (kind) => {
  const ready = async () => {
    const bench = await benches.make(kind);
    return { ...bench, store: await configured(bench, CONFIG) };
  };

  test('begins with everything that is there', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, OWNER, { ttlSeconds: 600 });
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    const [listing] = watch.events.flatMap((event) => (event.type === 'snapshot' ? [event.listing] : []));
    expect(listing?.records.map(({ key }) => key)).toEqual([KEY]);
    expect(listing?.records[0]?.expiresAt).toBeGreaterThan(Date.now());
    await watch.end();
  });

  test('tells what is written and what is deleted, in its order', async () => {
    const { store, raw } = await ready();
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    const lease = await store.acquire(requestOf('192.0.2.1'));
    await watch.until((events) => countOf(events, 'put') === 1);
    await store.renew(lease, attributesOf('192.0.2.1', { vtep: { vni: 1, mac: '02:00:00:00:00:09' } }));
    await watch.until((events) => countOf(events, 'put') === 2);
    await raw.delete(lease.key);
    await watch.until((events) => countOf(events, 'delete') === 1);
    const told = [`put ${lease.key}`, `put ${lease.key}`, `delete ${lease.key}`];
    expect(watch.events.map(briefly)).toEqual(['snapshot null 0', ...told]);
    await watch.end();
  });

  test('tells a record as a listing does, with its time', async () => {
    const { store } = await ready();
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    await store.acquire(requestOf('192.0.2.1'));
    await watch.until((events) => countOf(events, 'put') === 1);
    const [record] = (await store.listLeases()).records;
    const [told] = watch.events.flatMap((event) => (event.type === 'put' ? [event.record] : []));
    expect({ ...told, expiresAt: 0 }).toEqual({ ...record, expiresAt: 0 });
    expect(Math.abs((told?.expiresAt ?? 0) - (record?.expiresAt ?? 1))).toBeLessThan(2000);
    await watch.end();
  });

  test('leaves the times out of snapshot and changes when they were not asked for', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, OWNER, { ttlSeconds: 600 });
    const watch = watching(store, undefined, { ttl: false });
    await watch.until((events) => events.length === 1);
    await raw.put('10.244.8.0-24', OWNER, { ttlSeconds: 600 });
    await watch.until((events) => countOf(events, 'put') === 1);
    const records = watch.events.flatMap((event) => {
      if (event.type === 'snapshot') return event.listing.records;
      return event.type === 'put' ? [event.record] : [];
    });
    expect(records.map(({ key, expiresAt }) => [key, expiresAt])).toEqual([
      [KEY, undefined],
      ['10.244.8.0-24', undefined],
    ]);
    await watch.end();
  });

  test('tells the end of a lease whose time is over', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, OWNER, { ttlSeconds: 2 });
    const watch = watching(store);
    await watch.until((events) => countOf(events, 'delete') === 1);
    expect(watch.events.map(briefly)).toEqual(['snapshot null 1', `delete ${KEY}`]);
    await watch.end();
  });

  test('says nothing of the network configuration', async () => {
    const { store, raw } = await ready();
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    await store.writeNetworkConfig(CONFIG, (await store.readNetworkConfig()).modRevision);
    await raw.put(KEY, OWNER);
    await watch.until((events) => countOf(events, 'put') === 1);
    expect(watch.events.map(briefly)).toEqual(['snapshot null 0', `put ${KEY}`]);
    await watch.end();
  });

  test('ends at once when it is told to, before it began too', async () => {
    const { store } = await ready();
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    const start = performance.now();
    await watch.end();
    await watching(store).end();
    expect(performance.now() - start).toBeLessThan(500);
  });
});
