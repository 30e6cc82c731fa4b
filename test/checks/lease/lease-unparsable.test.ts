import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/lease-unparsable.ts';
import type { LeaseRecord } from '../../../src/store/store.ts';
import { badRecord, leaseAt, reservationAt } from '../../support/lease-records.ts';
import { ABSENT, actualOverlay, flannelInstall, known, listing } from '../../support/probe-builders.ts';

function evaluate(records: readonly LeaseRecord[], actual: Parameters<typeof check.evaluate>[0]['actual'] = ABSENT) {
  return check.evaluate({ leases: listing(...records), flannel: flannelInstall(), actual });
}

describe('lease-unparsable', () => {
  it('holds where every record is a lease', () => {
    const dualStack = { ...leaseAt(2), key: '10.244.2.0-24&fc00::-64', ipv6Subnet: 'fc00::/64' };
    expect(evaluate([leaseAt(1), dualStack])).toEqual([]);
  });

  it('names a key that is no subnet, and how to prune it', () => {
    const [finding] = evaluate([leaseAt(1), badRecord('malformed-key')]);
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      'flannel ignores the record not-a-subnet: the key is no subnet',
    );
    expect(finding.about).toEqual(['key:not-a-subnet']);
    expect(finding.evidence[1]).toMatchObject({ observed: 'junk' });
    expect(finding.remedy?.commands).toEqual(['flannelctl leases prune --dry-run', 'flannelctl leases prune']);
  });

  it('never tells to prune a subnet that may be in use', () => {
    const [finding] = evaluate([badRecord('unreadable-value')]);
    expect(finding?.remedy?.commands).toEqual(['flannelctl leases show 10.244.1.0/24']);
  });

  it('is about this node where the subnet is on flannel.N here', () => {
    const [finding] = evaluate([badRecord('unreadable-value')], known(actualOverlay()));
    expect(finding?.about).toEqual(['node']);
    expect(finding?.remedy?.commands).toContain('systemctl restart flanneld.service');
  });

  it.each([
    ['with a value', reservationAt(3)],
    ['without a value', badRecord('unreadable-value', '')],
  ])('does not take a reservation %s for junk', (_, record) => {
    expect(evaluate([leaseAt(1), record])).toEqual([]);
  });
});
