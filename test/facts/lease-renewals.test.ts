import { describe, expect, it } from 'vitest';
import { overdueLeases, type RenewalScene } from '../../src/facts/lease-renewals.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import { badRecord, leaseAt, reservationAt } from '../support/lease-records.ts';
import { flannelInstall } from '../support/probe-builders.ts';

const NOW = 1_000_000_000;

function scene(marginMinutes = 60, startedAt: number | null = 0): RenewalScene {
  const process = startedAt === null ? null : { pid: 1, name: 'flanneld', startedAt, state: 'S' };
  const options = { ...FLANNEL_DEFAULTS, subnetLeaseRenewMarginMinutes: marginMinutes };
  return { install: flannelInstall({ options, process }), ownKey: '10.244.1.0-24', now: NOW };
}

function isLate(minutesLeft: number, at: RenewalScene): boolean {
  return overdueLeases([leaseAt(2, { expiresAt: NOW + minutesLeft * 60_000 })], at).length === 1;
}

describe('a lease', () => {
  it('is overdue with less left than the margin', () => {
    const [overdue] = overdueLeases([leaseAt(2, { expiresAt: NOW + 600_000 })], scene());
    expect(overdue).toEqual({
      key: '10.244.2.0-24',
      subnet: '10.244.2.0/24',
      publicIp: '192.168.77.2',
      remainingSeconds: 600,
      marginSeconds: 3600,
      isOwn: false,
    });
  });

  it('is in time while it is fresh, and while flannel may just be trying again', () => {
    expect([isLate(24 * 60, scene()), isLate(60, scene()), isLate(59, scene())]).toEqual([false, false, false]);
  });

  it('is overdue two minutes after flannel should have renewed it', () => {
    expect(isLate(58, scene())).toBe(true);
  });

  it('is measured by the margin of the flanneld here', () => {
    expect([isLate(20, scene(10)), isLate(5, scene(10)), isLate(100, scene(120))]).toEqual([false, true, true]);
  });

  it('is not overdue because the margin here was raised after it was renewed', () => {
    const renewedAt = NOW + 100 * 60_000 - 86_400_000;
    expect(isLate(100, scene(120, renewedAt + 1))).toBe(false);
    expect(isLate(50, scene(120, renewedAt + 1))).toBe(true);
  });

  it('is measured by the margin that was given where no flanneld runs', () => {
    expect(isLate(100, scene(120, null))).toBe(true);
  });

  it('is never overdue without a TTL', () => {
    expect(overdueLeases([reservationAt(2), leaseAt(3, { expiresAt: null })], scene())).toEqual([]);
  });

  it('is nobody to speak of when it cannot be read', () => {
    expect(overdueLeases([badRecord('unreadable-value'), badRecord('malformed-key')], scene())).toEqual([]);
  });

  it('is known as that of this host', () => {
    expect(overdueLeases([leaseAt(1, { expiresAt: NOW })], scene())).toMatchObject([{ isOwn: true }]);
  });
});
