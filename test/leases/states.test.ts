import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overlap, overlappingKeys, rangeOf } from '../../src/leases/ranges.ts';
import { leaseJudge } from '../../src/leases/states.ts';
import type { LeaseRecord } from '../../src/store/store.ts';
import { judged, lease, MARGIN, malformed, NOW, scene, unreadable } from './builders.ts';

function statesOf(records: readonly LeaseRecord[], more: Parameters<typeof judged>[1] = {}) {
  return Object.fromEntries(judged(records, more).map(({ record, states }) => [record.key, states]));
}

describe('the states of leases', () => {
  it('calls a lease live that has the margin left or more', () => {
    expect(statesOf([lease(1), lease(2, { ttl: MARGIN })])).toEqual({
      '10.244.1.0-24': ['live'],
      '10.244.2.0-24': ['live'],
    });
  });

  it('calls a lease overdue that has less than the margin left, and nobody dead for that', () => {
    expect(statesOf([lease(1, { ttl: MARGIN - 1 }), lease(2, { ttl: 0 })])).toEqual({
      '10.244.1.0-24': ['overdue'],
      '10.244.2.0-24': ['overdue'],
    });
  });

  it.each(['silent', 'answers', 'unknown'] as const)(
    'calls an overdue lease stale only when its owner is silent: %s',
    (verdict) => {
      const [states] = Object.values(statesOf([lease(1, { ttl: 9 })], { silence: { '10.244.1.0-24': verdict } }));
      expect(states).toEqual(verdict === 'silent' ? ['overdue', 'stale'] : ['overdue']);
    },
  );

  it('calls no lease stale whose owner is silent and renewed in time', () => {
    expect(statesOf([lease(1)], { silence: { '10.244.1.0-24': 'silent' } })).toEqual({ '10.244.1.0-24': ['live'] });
  });

  it('calls no lease stale whose address a Node has', () => {
    const nodes = { nameOf: new Map([['192.0.2.1', 'worker-1']]), notReady: new Map() };
    const [found] = judged([lease(1, { ttl: 9 })], { nodes, silence: { '10.244.1.0-24': 'silent' } });
    expect(found).toMatchObject({ states: ['overdue'], node: 'worker-1' });
  });

  it.each([
    ['its public IP is here', { addresses: ['192.0.2.1'] }],
    ['its VTEP is flannel.N here', { vtepMacs: ['02:00:00:00:00:01'] }],
    ['its subnet is in use here, whoever is written in it', { subnetAddresses: ['10.244.1.0'] }],
  ])('knows a lease of this host: %s', (_, own) => {
    const self = { addresses: [], vtepMacs: [], subnetAddresses: [], ...own };
    expect(statesOf([lease(1), lease(2)], { self })).toEqual({
      '10.244.1.0-24': ['live', 'this-host'],
      '10.244.2.0-24': ['live'],
    });
  });

  it('calls a subnet key without a TTL a reservation, whatever its value', () => {
    expect(statesOf([lease(1, { ttl: null }), unreadable(2, { ttl: null })])).toEqual({
      '10.244.1.0-24': ['reservation'],
      '10.244.2.0-24': ['reservation'],
    });
  });

  it('knows a reservation by its missing etcd lease where TTLs were not asked for, and says nothing of the others', () => {
    const without = (record: LeaseRecord): LeaseRecord => ({ ...record, expiresAt: undefined });
    expect(statesOf([without(lease(1)), without(lease(2, { ttl: null }))])).toEqual({
      '10.244.1.0-24': [],
      '10.244.2.0-24': ['reservation'],
    });
  });

  it('calls both leases duplicates that share a public IP or a VTEP MAC', () => {
    const records = [lease(1), lease(2, { publicIp: '192.0.2.1' }), lease(3, { mac: '02:00:00:00:00:01' }), lease(4)];
    expect(statesOf(records)).toEqual({
      '10.244.1.0-24': ['live', 'duplicate-ip', 'duplicate-mac'],
      '10.244.2.0-24': ['live', 'duplicate-ip'],
      '10.244.3.0-24': ['live', 'duplicate-mac'],
      '10.244.4.0-24': ['live'],
    });
  });

  it('does not call a lease a duplicate of itself when both its devices have one MAC', () => {
    const { attributes, ...rest } = lease(1);
    const both = { ...rest, attributes: { ...attributes, vtepV6: attributes.vtep } };
    expect(statesOf([both])).toEqual({ '10.244.1.0-24': ['live'] });
  });

  it('calls subnets overlapping of which one lies in the other, also where a value does not parse', () => {
    expect(statesOf([lease(0, { key: '10.244.4.0-22' }), unreadable(5), lease(8)])).toMatchObject({
      '10.244.4.0-22': ['live', 'overlap'],
      '10.244.5.0-24': ['live', 'overlap'],
      '10.244.8.0-24': ['live'],
    });
  });

  it('calls a subnet outside that the network does not hold, and it stays live', () => {
    expect(statesOf([lease(1)], { network: '10.96.0.0/16' })).toEqual({ '10.244.1.0-24': ['live', 'outside-network'] });
  });

  it('calls nobody outside a network configuration that is not known', () => {
    expect(statesOf([lease(1)], { config: null })).toEqual({ '10.244.1.0-24': ['live'] });
  });

  it('calls a key malformed and nothing else', () => {
    expect(statesOf([malformed('config')])).toEqual({ config: ['malformed'] });
  });

  it('does not call a backend malformed that nobody knows', () => {
    const { attributes, ...rest } = lease(1);
    expect(statesOf([{ ...rest, attributes: { ...attributes, backendType: 'carrier-pigeon', vtep: null } }])).toEqual({
      '10.244.1.0-24': ['live'],
    });
  });

  it('calls the lease of a Node live while it is Ready and overdue while it is not, never a reservation', () => {
    const nodes = { nameOf: new Map(), notReady: new Map([['b', NOW - 5000]]) };
    const records = [lease(1, { ttl: null, node: 'a' }), lease(2, { ttl: null, node: 'b' })];
    expect(statesOf(records, { storeKind: 'kube', nodes })).toEqual({
      '10.244.1.0-24': ['live'],
      '10.244.2.0-24': ['overdue'],
    });
  });

  it('judges 50,000 leases in a few seconds', () => {
    const records = Array.from({ length: 50_000 }, (_, at) =>
      lease(1, { key: `10.${at >> 12}.${(at >> 4) & 255}.${(at & 15) * 16}-28`, mac: macOf(at), publicIp: ipOf(at) }),
    );
    const startedAt = performance.now();
    const judge = leaseJudge(records, scene({ network: '10.0.0.0/8' }));
    expect(records.every((record) => judge.statesOf(record).length === 1)).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});

describe('overlapping ranges', () => {
  const network = fc
    .tuple(fc.nat(7), fc.integer({ min: 24, max: 30 }), fc.nat(63))
    .map(([third, length, fourth]) => `10.0.${third}.${(fourth * 4) & (256 - 2 ** (32 - length))}/${length}`);

  it('are those that a comparison of each with each finds', () => {
    fc.assert(
      fc.property(fc.array(network, { maxLength: 40 }), (networks) => {
        const ranges = networks.flatMap((text, at) => {
          const range = rangeOf(text);
          return range === undefined ? [] : [{ key: `${at}`, range }];
        });
        const naive = ranges.filter((a) => ranges.some((b) => a.key !== b.key && overlap(a.range, b.range)));
        expect([...overlappingKeys(ranges)].toSorted()).toEqual(naive.map(({ key }) => key).toSorted());
      }),
    );
  });
});

function macOf(at: number): string {
  const hex = (byte: number) => (byte & 0xff).toString(16).padStart(2, '0');
  return `02:00:00:${hex(at >> 16)}:${hex(at >> 8)}:${hex(at)}`;
}

function ipOf(at: number): string {
  return `172.${16 + (at >> 16)}.${(at >> 8) & 0xff}.${at & 0xff}`;
}
