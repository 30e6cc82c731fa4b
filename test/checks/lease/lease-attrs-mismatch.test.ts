import { describe, expect, it } from 'vitest';
import mixed from '../../../src/checks/lease/backend-mixed.ts';
import check from '../../../src/checks/lease/lease-attrs-mismatch.ts';
import type { Lease, LeaseRecord } from '../../../src/store/store.ts';
import { leaseAt } from '../../support/lease-records.ts';
import { actualOverlay, flannelInstall, known, linkOf, listing, NETWORK_CONFIG } from '../../support/probe-builders.ts';

type Facts = Parameters<typeof check.evaluate>[0];

const HOST_GW = { backendType: 'host-gw', vtep: null, backendData: null };

function evaluate(own: Lease, more: Partial<Facts> = {}, peers: readonly LeaseRecord[] = [leaseAt(2)]) {
  return check.evaluate({
    own,
    leases: listing(own, ...peers),
    config: NETWORK_CONFIG,
    actual: actualOverlay(),
    flannel: flannelInstall(),
    ...more,
  });
}
const summaryOf = (findings: ReturnType<typeof evaluate>) =>
  findings.map(({ values }) => check.say.en.summary([values]));
const withBackend = (name: string) => ({
  ...NETWORK_CONFIG,
  config: { ...NETWORK_CONFIG.config, backend: { type: 'other' as const, name } },
});

describe('lease-attrs-mismatch', () => {
  it('holds while the lease publishes what runs here', () => {
    expect(evaluate(leaseAt(1))).toEqual([]);
  });

  it('names a VNI that is not that of the device', () => {
    const findings = evaluate(leaseAt(1, { attributes: { vtep: { vni: 7, mac: '02:00:00:00:00:01' } } }));
    expect(summaryOf(findings)).toEqual(['the lease 10.244.1.0-24 publishes VNI 7, not 1']);
    expect(findings[0]?.about).toEqual(['node']);
    expect(findings[0]?.evidence[0].source).toContain('ip -d link show flannel.1');
    expect(findings[0]?.remedy?.commands).toEqual(['systemctl restart flanneld.service']);
  });

  it('names another backend, and not the data that it lacks', () => {
    expect(summaryOf(evaluate(leaseAt(1, { attributes: HOST_GW })))).toEqual([
      'the lease 10.244.1.0-24 publishes BackendType host-gw, not vxlan',
    ]);
  });

  it.each([
    ['nothing', null],
    ['what does not parse', { VNI: 'one' }],
  ])('names data that are %s', (said, backendData) => {
    expect(summaryOf(evaluate(leaseAt(1, { attributes: { vtep: null, backendData } })))).toEqual([
      `the lease 10.244.1.0-24 publishes BackendData ${said}, not a VNI and a VTEP MAC`,
    ]);
  });

  it('does not take another MAC for wrong attributes', () => {
    expect(evaluate(leaseAt(1, { attributes: { vtep: { vni: 1, mac: '02:00:00:00:00:99' } } }))).toEqual([]);
  });

  it('does not blame the lease for a device that is not as configured', () => {
    expect(evaluate(leaseAt(1), { actual: actualOverlay({ links: [linkOf({ vni: 7 })] }) })).toEqual([]);
  });

  it('does not blame the lease where the device is missing', () => {
    expect(evaluate(leaseAt(1), { actual: actualOverlay({ links: [] }) })).toEqual([]);
  });

  it('takes a backend that publishes no type for what it is', () => {
    const udp = leaseAt(1, { attributes: { backendType: '', vtep: null, backendData: null } });
    expect(evaluate(udp, { config: withBackend('udp') })).toEqual([]);
  });

  it('leaves a cluster that is mixed to backend-mixed', () => {
    const peers = [leaseAt(2, { attributes: HOST_GW }), leaseAt(3)];
    const config = withBackend('host-gw');
    expect(evaluate(leaseAt(1), { config }, peers)).toEqual([]);
    expect(mixed.evaluate({ leases: listing(leaseAt(1), ...peers), config, ownLease: known(leaseAt(1)) })).toHaveLength(
      1,
    );
  });
});
