import { afterAll, describe, expect, test } from 'vitest';
import { sharedBenches } from '../support/shared-benches.ts';
import { attributesOf, type Bench, CONFIG, configured, requestOf, SMALL } from '../support/store-benches.ts';

const benches = sharedBenches();
afterAll(() => benches.close());

async function withBench(make: () => Promise<Bench>, work: (bench: Bench) => Promise<void>): Promise<void> {
  await work(await make());
}

describe.each(['etcd', 'file'] as const)('the %s store', (kind) => {
  const make = () => benches.make(kind);

  test('says that there is no network configuration', () =>
    withBench(make, async ({ open, raw }) => {
      await raw.put('10.244.1.0-24', '{}');
      await expect((await open()).readNetworkConfig()).rejects.toMatchObject({ code: 'absent' });
    }));

  test('reads the network configuration as it was written', () =>
    withBench(make, async (bench) => {
      const store = await bench.open();
      const written = await store.writeNetworkConfig(CONFIG, null);
      expect(await store.readNetworkConfig()).toEqual(written);
      expect(written.text).toBe(CONFIG);
    }));

  test('does not write a network configuration over one it was not told of', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await expect(store.writeNetworkConfig(SMALL, null)).rejects.toMatchObject({ code: 'conflict' });
      expect((await store.readNetworkConfig()).text).toBe(CONFIG);
    }));

  test('writes a network configuration over the revision it was told of, once', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const { modRevision } = await store.readNetworkConfig();
      await store.writeNetworkConfig(SMALL, modRevision);
      await expect(store.writeNetworkConfig(CONFIG, modRevision)).rejects.toMatchObject({ code: 'conflict' });
      expect((await store.readNetworkConfig()).text).toBe(SMALL);
    }));

  test('gives a new node a subnet of the network and lists it', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const lease = await store.acquire(requestOf('192.0.2.1'));
      expect(lease.subnet).toMatch(/^10\.244\.\d+\.0\/24$/);
      const [listed] = (await store.listLeases()).records;
      expect(listed).toMatchObject({
        kind: 'lease',
        key: lease.key,
        subnet: lease.subnet,
        attributes: lease.attributes,
      });
      expect(listed?.modRevision).toBe(lease.modRevision);
    }));

  test('gives a lease 24 hours', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const { expiresAt } = await store.acquire(requestOf('192.0.2.1'));
      const hours = ((expiresAt ?? 0) - Date.now()) / 3_600_000;
      expect(hours).toBeGreaterThan(23.9);
      expect(hours).toBeLessThan(24.1);
    }));

  test('leaves the time out when it was not asked for', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await store.acquire(requestOf('192.0.2.1'));
      expect((await store.listLeases({ ttl: false })).records[0]?.expiresAt).toBeUndefined();
    }));

  test('reads the times of a listing afterwards, also of records that are gone meanwhile', () =>
    withBench(make, async ({ raw, ...bench }) => {
      const store = await configured({ raw, ...bench }, CONFIG);
      await raw.put('10.244.7.0-24', '{"PublicIP":"192.0.2.7"}', { ttlSeconds: 600 });
      await raw.put('10.244.8.0-24', '{"PublicIP":"192.0.2.8"}', { ttlSeconds: 1 });
      await raw.put('10.244.9.0-24', '{"PublicIP":"192.0.2.9"}');
      const listing = await store.listLeases({ ttl: false });
      await expect.poll(async () => (await store.listLeases()).records.length, { timeout: 10_000 }).toBe(2);
      const pages: string[] = [];
      const timed = await store.readTimes(listing, ({ records }) => pages.push(...records.map(({ key }) => key)));
      expect(timed.map(({ key }) => key)).toEqual(listing.records.map(({ key }) => key));
      expect(pages).toEqual(timed.map(({ key }) => key));
      const [long, gone, reservation] = timed.map(({ expiresAt }) => expiresAt);
      expect(long).toBeGreaterThan(Date.now() + 500_000);
      expect(gone).toBeLessThanOrEqual(Date.now());
      expect(reservation).toBeNull();
    }));

  test('gives a node its own subnet again and writes its new VTEP', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const first = await store.acquire(requestOf('192.0.2.1'));
      const attributes = attributesOf('192.0.2.1', { vtep: { vni: 1, mac: '02:00:00:00:00:01' } });
      const second = await store.acquire({ attributes });
      expect(second.subnet).toBe(first.subnet);
      expect(second.modRevision).not.toBe(first.modRevision);
      const { records } = await store.listLeases();
      expect(records).toHaveLength(1);
      expect(records[0]).toMatchObject({ attributes: { vtep: { mac: '02:00:00:00:00:01' } } });
    }));

  test('keeps what others have written into the lease of a node', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await bench.raw.put('10.244.7.0-24', '{"PublicIP":"192.0.2.1","PublicIPv6":null,"Owner":{"rack":7}}');
      const lease = await store.acquire(requestOf('192.0.2.1'));
      expect(lease.subnet).toBe('10.244.7.0/24');
      expect(JSON.parse((await bench.raw.get('10.244.7.0-24')) ?? '')).toMatchObject({ Owner: { rack: 7 } });
    }));

  test('keeps a reservation without a TTL', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await bench.raw.put('10.244.7.0-24', '{"PublicIP":"192.0.2.1"}');
      expect((await store.acquire(requestOf('192.0.2.1'))).expiresAt).toBeNull();
      expect((await store.listLeases()).records[0]?.expiresAt).toBeNull();
    }));

  test('does not give away what was taken since the listing that it was told to choose from', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, SMALL);
      const listing = await store.listLeases({ ttl: false });
      const taken = await store.acquire({ ...requestOf('192.0.2.1'), listing });
      const next = await store.acquire({ ...requestOf('192.0.2.2'), previousSubnet: taken.subnet ?? '', listing });
      expect(next.subnet).not.toBe(taken.subnet);
      expect((await store.acquire({ ...requestOf('192.0.2.1'), listing })).subnet).toBe(taken.subnet);
      expect((await store.listLeases()).records).toHaveLength(2);
    }));

  test('replaces the lease of a node that no longer fits the network', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await bench.raw.put('172.16.3.0-24', '{"PublicIP":"192.0.2.1"}');
      const lease = await store.acquire(requestOf('192.0.2.1'));
      expect(lease.subnet).toMatch(/^10\.244\./);
      expect((await store.listLeases()).records.map(({ key }) => key)).toEqual([lease.key]);
    }));

  test('takes the previous subnet again when nobody holds it', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const lease = await store.acquire(requestOf('192.0.2.1', { previousSubnet: '10.244.201.0/24' }));
      expect(lease.subnet).toBe('10.244.201.0/24');
    }));

  test('does not take a previous subnet that somebody overlaps', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await bench.raw.put('10.244.201.128-25', '{"PublicIP":"192.0.2.9"}');
      const lease = await store.acquire(requestOf('192.0.2.1', { previousSubnet: '10.244.201.0/24' }));
      expect(lease.subnet).not.toBe('10.244.201.0/24');
    }));

  test('does not give away the subnet of a value that does not parse', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, SMALL);
      await bench.raw.put('10.9.1.0-24', 'not json');
      await bench.raw.put('10.9.2.0-24', '{"PublicIP":"192.0.2.8"}');
      expect((await store.acquire(requestOf('192.0.2.1'))).subnet).toBe('10.9.3.0/24');
    }));

  test('says when it is out of subnets', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, SMALL);
      for (const last of [1, 2, 3]) await store.acquire(requestOf(`192.0.2.${last}`));
      const late = store.acquire(requestOf('192.0.2.4'));
      await expect(late).rejects.toMatchObject({ code: 'absent', message: expect.stringContaining('out of subnets') });
    }));

  test('gives the last subnet to exactly one of two nodes that ask at once', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, SMALL);
      await bench.raw.put('10.9.1.0-24', '{"PublicIP":"192.0.2.8"}');
      await bench.raw.put('10.9.2.0-24', '{"PublicIP":"192.0.2.9"}');
      const other = await bench.open();
      const outcomes = await Promise.allSettled([
        store.acquire(requestOf('192.0.2.1')),
        other.acquire(requestOf('192.0.2.2')),
      ]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect((await store.listLeases()).records).toHaveLength(3);
    }));

  test('gives twelve nodes that ask at once twelve subnets', () =>
    withBench(make, async (bench) => {
      await configured(bench, JSON.stringify({ Network: '10.9.0.0/20', Backend: { Type: 'vxlan' } }));
      const nodes = Array.from({ length: 12 }, (_unused, index) => `192.0.2.${index + 1}`);
      const leases = await Promise.all(nodes.map(async (ip) => (await bench.open()).acquire(requestOf(ip))));
      expect(new Set(leases.map(({ subnet }) => subnet)).size).toBe(12);
    }));

  test('refuses to acquire where flannel would refuse the network configuration', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, '{"Network":"10.9.0.0/29","Backend":{"Type":"vxlan"}}');
      await expect(store.acquire(requestOf('192.0.2.1'))).rejects.toMatchObject({ code: 'malformed' });
    }));

  test('does not write a lease that flannel would ignore', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await expect(store.acquire(requestOf('10.0.0.1; reboot'))).rejects.toMatchObject({ code: 'bad-input' });
      expect((await store.listLeases()).records).toEqual([]);
    }));

  test('lists keys that flannel refuses and values that do not parse as what they are', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await bench.raw.put('10.244.1.0-32', '{}');
      await bench.raw.put('10.244.2.0-24', '{"PublicIP":"10.0.0.1\u001b[2J"}');
      await bench.raw.put('10.244.3.0-24', '{"PublicIP":"192.0.2.3"}');
      const { records } = await store.listLeases();
      expect(records.map(({ kind, key }) => [kind, key])).toEqual([
        ['malformed-key', '10.244.1.0-32'],
        ['unreadable-value', '10.244.2.0-24'],
        ['lease', '10.244.3.0-24'],
      ]);
      expect(JSON.stringify(records)).not.toContain('\u001b');
    }));

  test('gives a dual-stack node a subnet of both families', () =>
    withBench(make, async (bench) => {
      const config = {
        Network: '10.244.0.0/16',
        EnableIPv6: true,
        IPv6Network: 'fd00:10::/56',
        Backend: { Type: 'vxlan' },
      };
      const store = await configured(bench, JSON.stringify(config));
      const attributes = attributesOf('192.0.2.1', { publicIpv6: '2001:db8::1' });
      const lease = await store.acquire({ attributes });
      expect(lease.ipv6Subnet).toMatch(/^fd00:10:0:[0-9a-f]+::\/64$/);
      expect(lease.key).toBe(`${lease.subnet}&${lease.ipv6Subnet}`.replaceAll('/', '-'));
      expect((await store.acquire({ attributes })).key).toBe(lease.key);
    }));

  test('does not take the lease of another IPv6-only node for its own', () =>
    withBench(make, async (bench) => {
      const config = { EnableIPv4: false, EnableIPv6: true, IPv6Network: 'fd00:10::/56', Backend: { Type: 'vxlan' } };
      const store = await configured(bench, JSON.stringify(config));
      const one = await store.acquire({ attributes: attributesOf(null, { publicIpv6: '2001:db8::1' }) });
      const two = await store.acquire({ attributes: attributesOf(null, { publicIpv6: '2001:db8::2' }) });
      expect(one.subnet).toBeNull();
      expect(two.ipv6Subnet).not.toBe(one.ipv6Subnet);
    }));

  test('forgets a record that was deleted', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const { key } = await store.acquire(requestOf('192.0.2.1'));
      await bench.raw.delete(key);
      expect((await store.listLeases()).records).toEqual([]);
    }));
});
