import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/out-of-subnets.ts';
import type { LeaseRecord } from '../../../src/store/store.ts';
import { leaseAt, overdueAt, reservationAt } from '../../support/lease-records.ts';
import { flannelInstall, known, listing, NETWORK_CONFIG } from '../../support/probe-builders.ts';

function evaluate(records: readonly LeaseRecord[], more: Partial<Parameters<typeof check.evaluate>[0]> = {}) {
  const config = { ...NETWORK_CONFIG.config, subnetMin: '10.244.1.0', subnetMax: '10.244.3.0' };
  return check.evaluate({
    config: { ...NETWORK_CONFIG, config },
    leases: listing(...records),
    flannel: flannelInstall(),
    overdue: known([]),
    ...more,
  });
}

describe('out-of-subnets', () => {
  it('holds while one subnet is left', () => {
    expect(evaluate([leaseAt(1), leaseAt(2)])).toEqual([]);
  });

  it('fails when none is left, and says of how many', () => {
    const [finding] = evaluate([leaseAt(1), leaseAt(2), leaseAt(3)]);
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      'none of the 3 /24 subnets from 10.244.1.0 to 10.244.3.0 is left',
    );
    expect(finding.about).toEqual(['node']);
    expect(finding.evidence[0]).toMatchObject({ observed: 0, source: expect.stringContaining('etcd') });
  });

  it('names leases that were not renewed, and how to prune them, without doing it', () => {
    const [finding] = evaluate([leaseAt(1), leaseAt(2), leaseAt(3)], { overdue: known([overdueAt(2)]) });
    expect(finding?.evidence[1]).toMatchObject({ observed: '10.244.2.0/24' });
    expect(finding?.remedy).toMatchObject({ automatic: 'no', actions: [] });
    expect(finding?.remedy?.commands[0]).toBe('flannelctl leases prune --dry-run');
  });

  it('counts a reservation as taken', () => {
    expect(evaluate([leaseAt(1), leaseAt(2), reservationAt(3)])).toHaveLength(1);
  });

  it('does not take many leases elsewhere for a full range', () => {
    expect(evaluate([leaseAt(7), leaseAt(8), leaseAt(9), leaseAt(10)])).toEqual([]);
  });

  it('leaves podCIDRs to Kubernetes', () => {
    const flannel = flannelInstall({ subnetManager: 'kube' });
    expect(evaluate([leaseAt(1), leaseAt(2), leaseAt(3)], { flannel })).toEqual([]);
  });
});
