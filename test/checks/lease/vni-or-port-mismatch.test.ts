import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/vni-or-port-mismatch.ts';
import type { Lease, LeaseRecord } from '../../../src/store/store.ts';
import { leaseAt } from '../../support/lease-records.ts';
import {
  ANSWERED,
  actualOverlay,
  desiredOverlay,
  known,
  linkOf,
  listing,
  peerOf,
  UNANSWERED,
  UNKNOWN,
} from '../../support/probe-builders.ts';

type Facts = Parameters<typeof check.evaluate>[0];

const VXLAN: Facts['vxlan'] = {
  type: 'vxlan',
  vni: 1,
  port: null,
  outerMtuBytes: null,
  gbp: false,
  learning: false,
  directRouting: false,
};
const CUT_OFF = {
  underlay: known({ '10.244.2.0/24': ANSWERED }),
  overlay: known({ '10.244.2.0/24': UNANSWERED }),
};

function evaluate(records: readonly LeaseRecord[], more: Partial<Facts> = {}) {
  return check.evaluate({
    leases: listing(leaseAt(1), ...records),
    vxlan: VXLAN,
    ownLease: known(leaseAt(1)),
    actual: known(actualOverlay()),
    desired: known(desiredOverlay(peerOf(2))),
    underlay: UNKNOWN,
    overlay: UNKNOWN,
    ports: known({}),
    ...more,
  });
}
const summaryOf = (findings: ReturnType<typeof evaluate>) =>
  findings.map(({ values }) => check.say.en.summary([values]));

function withVni(vni: number): Lease {
  return leaseAt(2, { attributes: { vtep: { vni, mac: '02:00:00:00:00:02' } } });
}

describe('vni-or-port-mismatch', () => {
  it('holds where all publish the VNI of the device here', () => {
    expect(evaluate([leaseAt(2), leaseAt(3)])).toEqual([]);
  });

  it('names the peer that publishes another VNI', () => {
    const findings = evaluate([withVni(7)]);
    expect(summaryOf(findings)).toEqual(['10.244.2.0/24 (192.168.77.2) publishes VNI 7, not 1']);
    expect(findings[0]?.about).toEqual(['subnet:10.244.2.0/24']);
    expect(findings[0]?.evidence[0]).toMatchObject({ observed: 7, expected: 1 });
    expect(findings[0]?.remedy).toMatchObject({ actions: [], automatic: 'no' });
  });

  it('names the port that was measured', () => {
    const findings = evaluate([leaseAt(2)], { ports: known({ '10.244.2.0/24': 4789 }) });
    expect(summaryOf(findings)).toEqual(['10.244.2.0/24 (192.168.77.2) has its tunnel on udp/4789, not udp/8472']);
    expect(findings[0]?.evidence.map(({ source }) => source)).toEqual([
      'nc -zuv 192.168.77.2 8472',
      'nc -zuv 192.168.77.2 4789',
    ]);
  });

  it('does not blame peers for a configuration that nobody has taken up yet', () => {
    expect(evaluate([leaseAt(2)], { vxlan: { ...VXLAN, vni: 2 } })).toEqual([]);
  });

  it('does not blame peers for a wrong device or a wrong lease of this node', () => {
    const device = known(actualOverlay({ links: [linkOf({ vni: 7 })] }));
    const own = known(leaseAt(1, { attributes: { vtep: { vni: 7, mac: '02:00:00:00:00:01' } } }));
    expect([...evaluate([leaseAt(2)], { actual: device }), ...evaluate([leaseAt(2)], { ownLease: own })]).toEqual([]);
  });

  it('tells of the VNI of Windows only where the peer is cut off', () => {
    expect(evaluate([withVni(4096)])).toEqual([]);
    expect(evaluate([withVni(4096)], CUT_OFF)).toHaveLength(1);
  });

  it('holds in a cluster that runs with the VNI of Windows throughout', () => {
    const device = known(actualOverlay({ links: [linkOf({ device: 'flannel.4096', vni: 4096 })] }));
    expect(evaluate([withVni(4096)], { vxlan: { ...VXLAN, vni: 4096 }, actual: device })).toEqual([]);
  });

  it('does not judge a peer that is reached without the tunnel', () => {
    expect(evaluate([withVni(7)], { desired: known(desiredOverlay(peerOf(2, { isDirect: true }))) })).toEqual([]);
  });
});
