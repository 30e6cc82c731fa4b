import { describe, expect, it } from 'vitest';
import duplicate from '../../../src/checks/lease/lease-duplicate-subnet.ts';
import check from '../../../src/checks/lease/lease-stolen-unnoticed.ts';
import type { LeaseRecord } from '../../../src/store/store.ts';
import { leaseAt } from '../../support/lease-records.ts';
import {
  ABSENT,
  actualOverlay,
  flannelInstall,
  interfaceOf,
  known,
  leaseOf,
  listing,
  UNDERLAY,
} from '../../support/probe-builders.ts';

type Facts = Parameters<typeof check.evaluate>[0];

const STOLEN = leaseOf({ subnet: '10.244.1.0/24', publicIp: '203.0.113.77', mac: '02:00:5e:00:53:77' });

function facts(records: readonly LeaseRecord[], more: Partial<Facts> = {}): Facts {
  return {
    ownLease: ABSENT,
    leases: listing(...records),
    actual: actualOverlay(),
    interfaces: [interfaceOf('e0', '192.168.77.1')],
    flannel: flannelInstall(),
    underlay: known(UNDERLAY),
    ...more,
  };
}
const duplicatesOf = (own: Facts) => duplicate.evaluate({ ...own, file: ABSENT });

describe('lease-stolen-unnoticed', () => {
  it('holds while the record names this host', () => {
    expect(check.evaluate(facts([leaseAt(1), leaseAt(2)], { ownLease: known(leaseAt(1)) }))).toEqual([]);
  });

  it('names the host that the record was written over with', () => {
    const [finding] = check.evaluate(facts([STOLEN, leaseAt(2)]));
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      'the lease of 10.244.1.0/24 names 203.0.113.77, while flanneld here goes on using it on flannel.1',
    );
    expect(finding.about).toEqual(['node']);
    expect(finding.evidence[2]).toMatchObject({ observed: '02:00:5e:00:53:77', expected: '02:00:00:00:00:01' });
  });

  it('shows the safe order of steps, and does none of them', () => {
    expect(check.evaluate(facts([STOLEN]))[0]?.remedy).toMatchObject({
      commands: [
        'flannelctl leases show 10.244.1.0/24',
        'systemctl stop flanneld.service',
        'rm -- /run/flannel/subnet.env',
        'systemctl start flanneld.service',
      ],
      actions: [],
      automatic: 'no',
    });
  });

  it('does not take a public address behind NAT for another host', () => {
    expect(check.evaluate(facts([leaseAt(1, { attributes: { publicIp: '203.0.113.5' } })]))).toEqual([]);
  });

  it('is told once: as stolen, not as a duplicate too', () => {
    expect(duplicatesOf(facts([STOLEN]))).toEqual([]);
  });

  it.each([
    ['no flanneld runs here', { flannel: flannelInstall({ process: null }) }],
    ['this host has another lease', { ownLease: known(leaseAt(5)) }],
    ['the subnet is the podCIDR of a Node', { flannel: flannelInstall({ subnetManager: 'kube' }) }],
  ])('is a duplicate instead where %s', (_, more) => {
    const scene = facts([STOLEN], more);
    expect([check.evaluate(scene).length, duplicatesOf(scene).length]).toEqual([0, 1]);
  });
});
