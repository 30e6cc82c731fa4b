import { describe, expect, it } from 'vitest';
import duplicate from '../../../src/checks/lease/lease-duplicate-public-ip.ts';
import check from '../../../src/checks/lease/lease-outside-network.ts';
import type { NetworkConfig } from '../../../src/store/config.ts';
import type { LeaseRecord } from '../../../src/store/store.ts';
import { leaseAt, reservationAt } from '../../support/lease-records.ts';
import { ABSENT, flannelInstall, known, leaseOf, listing, NETWORK_CONFIG } from '../../support/probe-builders.ts';

type Facts = Parameters<typeof check.evaluate>[0];

function evaluate(records: readonly LeaseRecord[], config: Partial<NetworkConfig> = {}, more: Partial<Facts> = {}) {
  const range = { subnetMin: '10.244.1.0', subnetMax: '10.244.9.0' };
  return check.evaluate({
    leases: listing(...records),
    config: { ...NETWORK_CONFIG, config: { ...NETWORK_CONFIG.config, ...range, ...config } },
    flannel: flannelInstall(),
    ownLease: ABSENT,
    ...more,
  });
}
const summaryOf = (findings: ReturnType<typeof evaluate>) =>
  findings.map(({ values }) => check.say.en.summary([values]));

describe('lease-outside-network', () => {
  it('holds while every lease is one that could be given today', () => {
    expect(evaluate([leaseAt(1), leaseAt(9)])).toEqual([]);
  });

  it('names a lease beyond the range, about its key', () => {
    const findings = evaluate([leaseAt(1), leaseAt(20)]);
    expect(summaryOf(findings)).toEqual(['the lease 10.244.20.0-24 is not between 10.244.1.0 and 10.244.9.0']);
    expect(findings[0]?.about).toEqual(['key:10.244.20.0-24']);
    expect(findings[0]?.evidence[0]).toMatchObject({ expected: 'from 10.244.1.0 to 10.244.9.0' });
    expect(findings[0]?.remedy).toMatchObject({ actions: [], automatic: 'no' });
  });

  it('names a lease of another length', () => {
    expect(summaryOf(evaluate([leaseOf({ subnet: '10.244.4.0/23' })]))).toEqual([
      'the lease 10.244.4.0-23 is not a /24',
    ]);
  });

  it('names a lease that lacks a family which is on', () => {
    expect(summaryOf(evaluate([leaseAt(4)], { enableIPv6: true }))).toEqual([
      'the lease 10.244.4.0-24 has no IPv6 subnet',
    ]);
  });

  it('names a lease with a family that is off', () => {
    const dual = leaseOf({ subnet: '10.244.4.0/24', ipv6Subnet: 'fc00::/64' });
    expect(summaryOf(evaluate([dual]))).toEqual([
      'the lease 10.244.4.0-24 has an IPv6 subnet, which the configuration turns off',
    ]);
  });

  it('is about this node too when the lease is its own', () => {
    expect(evaluate([leaseAt(20)], {}, { ownLease: known(leaseAt(20)) })[0]?.about).toEqual([
      'key:10.244.20.0-24',
      'node',
    ]);
  });

  it('follows from a second lease of the same host', () => {
    const left = leaseAt(20, { attributes: { publicIp: '192.168.77.1' } });
    const [cause] = duplicate.evaluate({ leases: listing(leaseAt(1), left), ownLease: ABSENT });
    const [own] = evaluate([leaseAt(1), left]);
    if (cause === undefined || own === undefined) throw new Error('nothing was found');
    const edge = check.causedBy?.find(({ id }) => id === 'lease-duplicate-public-ip');
    expect(edge?.because(cause, own)).toBeDefined();
  });

  it('leaves two leases of different hosts that overlap to lease-duplicate-subnet', () => {
    const half = leaseOf({ subnet: '10.244.4.128/25', publicIp: '192.168.77.99' });
    expect(evaluate([leaseAt(4), half])).toEqual([]);
  });

  it('does not judge a reservation', () => {
    expect(evaluate([reservationAt(20)])).toEqual([]);
  });

  it('does not apply the ranges to podCIDRs', () => {
    expect(evaluate([leaseAt(20)], {}, { flannel: flannelInstall({ subnetManager: 'kube' }) })).toEqual([]);
  });
});
