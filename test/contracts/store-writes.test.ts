import { afterAll, describe, expect, test } from 'vitest';
import type { Lease, SubnetStore } from '../../src/store/store.ts';
import { sharedBenches } from '../support/shared-benches.ts';
import { attributesOf, CONFIG, configured, requestOf } from '../support/store-benches.ts';

const OWNER = '{"PublicIP":"192.0.2.1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}}';
const KEY = '10.244.7.0-24';

const benches = sharedBenches();
afterAll(() => benches.close());

describe.each(['etcd', 'file'] as const)('the %s store', (kind) => {
  const ready = async () => {
    const bench = await benches.make(kind);
    return { ...bench, store: await configured(bench, CONFIG) };
  };

  test('renews a lease for another 24 hours', async () => {
    const { store } = await ready();
    const lease = await store.acquire(requestOf('192.0.2.1'));
    const renewed = await store.renew(lease, lease.attributes);
    expect(renewed).toMatchObject({ key: lease.key, attributes: lease.attributes });
    expect(renewed.expiresAt).toBeGreaterThan(Date.now() + 86_000_000);
    expect(BigInt(renewed.modRevision)).toBeGreaterThan(BigInt(lease.modRevision));
    expect((await listed(store))?.modRevision).toBe(renewed.modRevision);
  });

  test('publishes new attributes with a renewal and keeps what others have written beside them', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, '{"PublicIP":"192.0.2.1","PublicIPv6":null,"Owner":{"rack":7}}');
    await store.renew(await leaseAt(store), attributesOf('192.0.2.1', { vtep: { vni: 1, mac: '02:00:00:00:00:09' } }));
    const value = JSON.parse((await raw.get(KEY)) ?? '');
    expect(value).toMatchObject({ Owner: { rack: 7 }, BackendData: { VtepMAC: '02:00:00:00:00:09' } });
  });

  test('leaves a renewed reservation without a TTL', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, OWNER);
    const lease = await leaseAt(store);
    expect((await store.renew(lease, lease.attributes)).expiresAt).toBeNull();
    expect((await listed(store))?.expiresAt).toBeNull();
  });

  test('does not renew a lease that somebody else has written since', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, OWNER);
    const lease = await leaseAt(store);
    await raw.put(KEY, OWNER.replace('192.0.2.1', '192.0.2.2'));
    await expect(store.renew(lease, lease.attributes)).rejects.toMatchObject({ code: 'conflict' });
    expect(await raw.get(KEY)).toContain('192.0.2.2');
  });

  test('does not bring a lease back by renewing it', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, OWNER);
    const lease = await leaseAt(store);
    await raw.delete(KEY);
    await expect(store.renew(lease, lease.attributes)).rejects.toMatchObject({ code: 'conflict' });
    expect(await raw.get(KEY)).toBeUndefined();
  });

  test('lets one of ten renewals at once through', async () => {
    const { store, open } = await ready();
    const lease = await store.acquire(requestOf('192.0.2.1'));
    const stores = await Promise.all(Array.from({ length: 10 }, () => open()));
    const outcomes = await Promise.allSettled(stores.map((one) => one.renew(lease, lease.attributes)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('removes one record and no other', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, OWNER);
    await raw.put('10.244.70.0-24', OWNER);
    await store.remove(await leaseAt(store));
    expect((await store.listLeases()).records.map(({ key }) => key)).toEqual(['10.244.70.0-24']);
    expect((await store.readNetworkConfig()).text).toBe(CONFIG);
  });

  test('removes a record whose key and value are junk', async () => {
    const { store, raw } = await ready();
    await raw.put('10.244.1.0-32', '\u001b[2J');
    const [record] = (await store.listLeases()).records;
    if (record !== undefined) await store.remove(record);
    expect((await store.listLeases()).records).toEqual([]);
  });

  test('does not remove a lease that was renewed since it was listed', async () => {
    const { store } = await ready();
    const lease = await store.acquire(requestOf('192.0.2.1'));
    await store.renew(lease, lease.attributes);
    await expect(store.remove(lease)).rejects.toMatchObject({ code: 'conflict' });
    expect((await store.listLeases()).records).toHaveLength(1);
  });

  test('does not remove a lease that has more time left than the caller takes for dead', async () => {
    const { store } = await ready();
    const lease = await store.acquire(requestOf('192.0.2.1'));
    const refused = store.remove(lease, { unlessTtlAboveSeconds: 3600 });
    await expect(refused).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(/8\d{4} s left/) });
    await store.remove(lease, { unlessTtlAboveSeconds: 90_000 });
    expect((await store.listLeases()).records).toEqual([]);
  });

  test('says of a record that is gone that it did not remove it', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, OWNER);
    const lease = await leaseAt(store);
    await raw.delete(KEY);
    await expect(store.remove(lease)).rejects.toMatchObject({
      code: 'conflict',
      message: `${KEY} was not removed: it is gone`,
    });
  });

  test('dumps the records as they are stored, with the configuration', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, OWNER);
    await raw.put('10.244.8.0-24', '\u001b{', { ttlSeconds: 600 });
    const dump = await store.dump();
    expect(dump.config).toBe(CONFIG);
    const [one, two] = dump.records;
    expect(one).toMatchObject({ key: KEY, ttlSeconds: null, modRevision: (await listed(store))?.modRevision });
    expect(Buffer.from(one?.valueBase64 ?? '', 'base64').toString()).toBe(OWNER);
    expect(Buffer.from(two?.valueBase64 ?? '', 'base64').toString()).toBe('\u001b{');
    expect(two?.ttlSeconds).toBeGreaterThan(590);
    expect(two?.ttlSeconds).toBeLessThanOrEqual(600);
  });

  test('dumps only the records that are asked for', async () => {
    const { store, raw } = await ready();
    await raw.put(KEY, OWNER);
    await raw.put('10.244.8.0-24', 'junk');
    const { records } = await store.dump({ keys: new Set([KEY]) });
    expect(records.map(({ key }) => key)).toEqual([KEY]);
  });
});

async function listed(store: SubnetStore) {
  return (await store.listLeases()).records[0];
}

async function leaseAt(store: SubnetStore): Promise<Lease> {
  const { records } = await store.listLeases();
  const found = records.find(({ key }) => key === KEY);
  if (found?.kind !== 'lease') throw new Error(`there is no lease at ${KEY}`);
  return found;
}
