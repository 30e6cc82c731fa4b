import { afterAll, describe, expect, test } from 'vitest';
import type { DumpedRecord } from '../../src/store/store.ts';
import { sharedBenches } from '../support/shared-benches.ts';
import { CONFIG, configured, requestOf } from '../support/store-benches.ts';

const KEY = '10.244.7.0-24';
const MAC = '02:00:00:00:00:01';

const benches = sharedBenches();
afterAll(() => benches.close());

describe.each(['etcd', 'file'] as const)('a record put back into the %s store', (kind) => {
  const ready = async () => {
    const bench = await benches.make(kind);
    return { ...bench, store: await configured(bench, CONFIG) };
  };

  test('is what it was, with the time it is given', async () => {
    const { store, raw } = await ready();
    const value = `{"PublicIP": "192.0.2.1",  "Owner":7}`;
    const record = await store.putBack(dumped(KEY, value), 3600);
    expect(await raw.get(KEY)).toBe(value);
    const [found] = (await store.listLeases()).records;
    expect(found).toMatchObject({ key: KEY, modRevision: record.modRevision, etcdLease: record.etcdLease });
    expect(((found?.expiresAt ?? 0) - Date.now()) / 1000).toBeGreaterThan(3590);
    expect(((found?.expiresAt ?? 0) - Date.now()) / 1000).toBeLessThan(3610);
  });

  test('gets no TTL where it had none', async () => {
    const { store } = await ready();
    await store.putBack(dumped(KEY), null);
    expect((await store.listLeases()).records[0]).toMatchObject({ expiresAt: null, etcdLease: null });
  });

  test('stays away when its time is over', async () => {
    const { store } = await ready();
    await expect(store.putBack(dumped(KEY), 0)).rejects.toMatchObject({ code: 'bad-input' });
    expect((await store.listLeases()).records).toEqual([]);
  });

  test('comes back with a key and a value that are junk', async () => {
    const { store, raw } = await ready();
    await store.putBack(dumped('10.244.1.0-32', '\u001b{'), null);
    expect(await raw.get('10.244.1.0-32')).toBe('\u001b{');
  });

  test.each([
    ['the same key', KEY, '{"PublicIP":"192.0.2.9"}', `${KEY} is there`],
    ['the same key with junk', KEY, 'junk', `${KEY} is there`],
    ['an overlapping subnet', '10.244.0.0-21', '{"PublicIP":"192.0.2.9"}', '10.244.0.0-21 overlaps it'],
    ['an overlapping subnet with junk', '10.244.7.128-25', 'junk', '10.244.7.128-25 overlaps it'],
    ['its public IP', '10.244.9.0-24', '{"PublicIP":"192.0.2.1"}', '10.244.9.0-24 has its public IP 192.0.2.1'],
    [
      'its VTEP MAC',
      '10.244.9.0-24',
      `{"PublicIP":"192.0.2.9","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"${MAC}"}}`,
      `10.244.9.0-24 has its VTEP MAC ${MAC}`,
    ],
  ])('stays away where a record with %s has taken its place', async (...[, key, value, why]) => {
    const { store, raw } = await ready();
    await raw.put(key, value);
    const refused = store.putBack(dumped(KEY), 3600);
    await expect(refused).rejects.toMatchObject({ code: 'conflict', message: `${KEY} is not put back: ${why}` });
    expect(await raw.get(key)).toBe(value);
    expect((await store.listLeases()).records).toHaveLength(1);
  });

  test('stays away where an earlier one of the same backup has taken its place', async () => {
    const { store } = await ready();
    await store.putBack(dumped(KEY), 3600);
    const again = store.putBack(dumped('10.244.8.0-24'), 3600);
    await expect(again).rejects.toMatchObject({ message: expect.stringContaining('has its public IP') });
  });

  test('comes back where its place was freed after another one was refused', async () => {
    const { store, raw } = await ready();
    await store.putBack(dumped('10.244.1.0-24', '{"PublicIP":"192.0.2.7"}'), 3600);
    await raw.delete('10.244.1.0-24');
    await expect(store.putBack(dumped('10.244.2.0-24', '{"PublicIP":"192.0.2.7"}'), 3600)).resolves.toBeDefined();
  });

  test('gives no owner two subnets while the owner itself asks for one', async () => {
    const { store, open } = await ready();
    const other = await open();
    for (let round = 0; round < 8; round += 1) {
      const ip = `192.0.2.${round + 1}`;
      const record = dumped(`10.244.${100 + round}.0-24`, `{"PublicIP":"${ip}"}`);
      await Promise.allSettled([store.putBack(record, 3600), other.acquire(requestOf(ip))]);
    }
    const { records } = await store.listLeases();
    const owners = records.map((record) => (record.kind === 'lease' ? record.attributes.publicIp : ''));
    expect(new Set(owners).size).toBe(8);
    expect(owners).toHaveLength(8);
  });

  test('gives two hosts that restore the same backup one record each', async () => {
    const { store, open } = await ready();
    const other = await open();
    const records = [1, 2, 3, 4, 5].map((id) => dumped(`10.244.${id}.0-24`, `{"PublicIP":"192.0.2.${id}"}`));
    const outcomes = await Promise.allSettled(
      records.flatMap((record) => [store.putBack(record, 3600), other.putBack(record, 3600)]),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect((await store.listLeases()).records).toHaveLength(5);
  });
});

test('a backup cannot write the network configuration, or below another prefix', async () => {
  const bench = await benches.make('etcd');
  const store = await configured(bench, CONFIG);
  for (const key of [`${bench.prefix}/config`, '/elsewhere/subnets/10.1.1.0-24', '/']) {
    await expect(store.putBack(dumped(key), null)).rejects.toMatchObject({ code: 'bad-input' });
  }
  expect((await store.readNetworkConfig()).text).toBe(CONFIG);
});

function dumped(key: string, value = lease()): DumpedRecord {
  return {
    key,
    valueBase64: Buffer.from(value).toString('base64'),
    modRevision: '1',
    etcdLease: null,
    ttlSeconds: null,
  };
}

function lease(): string {
  return JSON.stringify({
    PublicIP: '192.0.2.1',
    BackendType: 'vxlan',
    BackendData: { VNI: 1, VtepMAC: MAC },
  });
}
