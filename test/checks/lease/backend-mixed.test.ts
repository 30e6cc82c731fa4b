import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/backend-mixed.ts';
import type { LeaseRecord } from '../../../src/store/store.ts';
import { leaseAt, reservationAt } from '../../support/lease-records.ts';
import { ABSENT, known, listing, NETWORK_CONFIG } from '../../support/probe-builders.ts';

const HOST_GW = { backendType: 'host-gw', vtep: null, backendData: null };
const OWN = leaseAt(1);

function evaluate(records: readonly LeaseRecord[], config = NETWORK_CONFIG) {
  return check.evaluate({ leases: listing(...records), config, ownLease: known(OWN) });
}

describe('backend-mixed', () => {
  it('holds where all nodes run one backend', () => {
    expect(evaluate([OWN, leaseAt(2)])).toEqual([]);
  });

  it('names the peer that runs another one', () => {
    const [finding] = evaluate([OWN, leaseAt(2), leaseAt(3, { attributes: HOST_GW })]);
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe('10.244.3.0/24 (192.168.77.3) runs host-gw, not vxlan');
    expect(finding.about).toEqual(['subnet:10.244.3.0/24']);
    expect(finding.evidence[0]).toMatchObject({ observed: 'host-gw', expected: 'vxlan' });
    expect(finding.remedy).toMatchObject({ actions: [], automatic: 'no' });
  });

  it('does not take another spelling for another backend', () => {
    expect(evaluate([OWN, leaseAt(2, { attributes: { backendType: 'VXLAN' } })])).toEqual([]);
  });

  it('does not take a Windows node for one of another backend', () => {
    expect(evaluate([OWN, leaseAt(2, { attributes: { vtep: { vni: 4096, mac: '00:15:5d:00:00:02' } } })])).toEqual([]);
  });

  it('does not take a configuration that nobody has taken up yet for a mixture', () => {
    const config = {
      ...NETWORK_CONFIG,
      config: { ...NETWORK_CONFIG.config, backend: { type: 'other', name: 'host-gw' } },
    } as const;
    expect(evaluate([OWN, leaseAt(2)], config)).toEqual([]);
  });

  it('leaves what this node publishes wrongly to lease-attrs-mismatch', () => {
    const own = leaseAt(1, { attributes: HOST_GW });
    const facts = { leases: listing(own, leaseAt(2)), config: NETWORK_CONFIG, ownLease: known(own) };
    expect(check.evaluate(facts)).toEqual([]);
  });

  it('does not judge a reservation, which publishes no backend', () => {
    expect(evaluate([OWN, leaseAt(2), reservationAt(3)])).toEqual([]);
  });

  it('is judged from a host without a lease too', () => {
    const leases = listing(leaseAt(2), leaseAt(3, { attributes: HOST_GW }));
    expect(check.evaluate({ leases, config: NETWORK_CONFIG, ownLease: ABSENT })).toHaveLength(1);
  });
});
