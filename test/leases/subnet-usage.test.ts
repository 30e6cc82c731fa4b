import { describe, expect, it } from 'vitest';
import { subnetUsage } from '../../src/leases/subnet-usage.ts';
import type { NetworkConfig } from '../../src/store/config.ts';
import type { LeaseRecord } from '../../src/store/store.ts';
import { badRecord, leaseAt } from '../support/lease-records.ts';
import { leaseOf, NETWORK_CONFIG } from '../support/probe-builders.ts';

const RANGE = { ...NETWORK_CONFIG.config, subnetMin: '10.244.1.0', subnetMax: '10.244.4.0' };

function freeOf(records: readonly LeaseRecord[], config: NetworkConfig = RANGE): readonly bigint[] {
  return subnetUsage(config, records).map(({ free }) => free);
}

describe('the subnets that are left', () => {
  it('are those of the range that no record takes', () => {
    expect(freeOf([leaseAt(1), leaseAt(3)])).toEqual([2n]);
  });

  it('do not count what lies outside the range', () => {
    expect(freeOf([leaseAt(9), leaseOf({ subnet: '10.99.1.0/24' })])).toEqual([4n]);
  });

  it('do not include what a wider or a narrower record overlaps', () => {
    expect(freeOf([leaseOf({ subnet: '10.244.2.0/23' })])).toEqual([2n]);
    expect(freeOf([leaseOf({ subnet: '10.244.2.128/25' })])).toEqual([3n]);
  });

  it('count a subnet that two records take only once', () => {
    expect(freeOf([leaseOf({ subnet: '10.244.0.0/22' }), leaseAt(2), leaseAt(3), leaseAt(4)])).toEqual([0n]);
  });

  it('are taken by a record whose value nobody can read, and not by a key that is no subnet', () => {
    expect(freeOf([badRecord('unreadable-value'), badRecord('malformed-key')])).toEqual([3n]);
  });

  it('are counted in each family that is on', () => {
    const dual = {
      ...RANGE,
      enableIPv6: true,
      ipv6SubnetLen: 64,
      ipv6SubnetMin: 'fc00:0:0:1::',
      ipv6SubnetMax: 'fc00:0:0:ffff::',
    };
    expect(freeOf([leaseOf({ subnet: '10.244.1.0/24', ipv6Subnet: 'fc00:0:0:7::/64' })], dual)).toEqual([3n, 65_534n]);
  });

  it('are counted without walking through a range of 2⁴⁸ subnets', () => {
    const wide = {
      ...RANGE,
      enableIPv4: false,
      enableIPv6: true,
      ipv6SubnetLen: 64,
      ipv6SubnetMin: 'fc00::',
      ipv6SubnetMax: 'fc00:ffff:ffff:ffff::',
    };
    expect(freeOf([], wide)).toEqual([2n ** 48n]);
  });
});
