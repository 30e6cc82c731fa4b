import { describe, expect, it } from 'vitest';
import { overlappingLeases } from '../../src/leases/overlapping.ts';
import { leaseOf } from '../support/probe-builders.ts';

const pairsOf = (...subnets: readonly string[]) =>
  overlappingLeases(subnets.map((subnet) => leaseOf({ subnet }))).map((pair) => pair.map(({ key }) => key));

describe('overlapping leases', () => {
  it('are none among neighbours', () => {
    expect(pairsOf('10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/23')).toEqual([]);
  });

  it('are found through one that lies between', () => {
    expect(pairsOf('10.0.3.0/24', '10.0.0.0/22', '10.0.1.0/24')).toEqual([
      ['10.0.0.0-22', '10.0.1.0-24'],
      ['10.0.0.0-22', '10.0.3.0-24'],
    ]);
  });

  it('are told once where both families overlap', () => {
    const parts = { subnet: '10.0.0.0/24', ipv6Subnet: 'fc00::/64' };
    const pairs = overlappingLeases([leaseOf({ ...parts, key: 'a' }), leaseOf({ ...parts, key: 'b' })]);
    expect(pairs).toHaveLength(1);
  });

  it('count a record whose value does not parse, as its subnet is taken all the same', () => {
    const { attributes: _, ...unreadable } = leaseOf({ subnet: '10.0.0.0/24', key: 'b' });
    const records = [
      leaseOf({ subnet: '10.0.0.0/24', key: 'a' }),
      { ...unreadable, kind: 'unreadable-value', value: '{', reason: 'no JSON' } as const,
    ];
    expect(overlappingLeases(records)).toEqual([
      [
        { key: 'a', owner: '192.168.77.1' },
        { key: 'b', owner: null },
      ],
    ]);
  });
});
