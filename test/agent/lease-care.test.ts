import { describe, expect, it } from 'vitest';
import { type CareInput, decideCare, judgeRecord, type OwnLease, retryDelayMs } from '../../src/agent/lease-care.ts';
import type { Lease, LeaseAttributes } from '../../src/store/store.ts';

const ATTRIBUTES: LeaseAttributes = {
  publicIp: '192.168.9.1',
  publicIpv6: null,
  backendType: 'vxlan',
  vtep: { vni: 1, mac: '02:00:00:00:00:01' },
  vtepV6: null,
  backendData: { VNI: 1, VtepMAC: '02:00:00:00:00:01' },
  backendV6Data: null,
};
const OTHER_MAC = { ...ATTRIBUTES, vtep: { vni: 1, mac: '02:00:00:00:00:02' } };
const HOUR = 3_600_000;

function lease(more: Partial<Lease> = {}): Lease {
  return {
    kind: 'lease',
    key: '10.244.1.0-24',
    subnet: '10.244.1.0/24',
    ipv6Subnet: null,
    attributes: ATTRIBUTES,
    expiresAt: null,
    etcdLease: '1',
    modRevision: '7',
    node: null,
    ...more,
  };
}

function held(endsAt: number | null): OwnLease {
  return { status: 'held', lease: lease(), asked: ATTRIBUTES, endsAt };
}

function decide(more: Partial<CareInput>) {
  return decideCare({
    own: held(24 * HOUR),
    wanted: ATTRIBUTES,
    now: 0,
    marginMs: HOUR,
    retryAt: 0,
    inDoubt: false,
    ...more,
  });
}

describe('the care for a lease', () => {
  it('rests until the margin, but looks every quarter of an hour', () => {
    expect(decide({})).toEqual({ act: 'rest', until: HOUR / 4 });
    expect(decide({ now: 23 * HOUR - 5 })).toEqual({ act: 'rest', until: 23 * HOUR });
  });

  it('renews at the margin', () => {
    expect(decide({ now: 23 * HOUR })).toMatchObject({ act: 'renew', why: 'margin' });
  });

  it('never renews what the store keeps for ever', () => {
    expect(decide({ own: held(null), now: 100 * HOUR }).act).toBe('rest');
  });

  it('publishes an address that changed', () => {
    const wanted = { ...ATTRIBUTES, publicIp: '192.168.9.41' };
    expect(decide({ wanted })).toMatchObject({ act: 'renew', why: 'attributes' });
  });

  it('reads before it writes when it is in doubt, even when the lease is over', () => {
    expect(decide({ inDoubt: true, now: 25 * HOUR }).act).toBe('verify');
  });

  it('waits after a failure', () => {
    expect(decide({ now: 23 * HOUR, retryAt: 23 * HOUR + 60_000 })).toEqual({ act: 'rest', until: 23 * HOUR + 60_000 });
  });

  it('takes a lost lease again, and only looks while another host holds it', () => {
    expect(decide({ own: { status: 'lost', lease: lease() } }).act).toBe('acquire');
    expect(decide({ own: { status: 'conflict', lease: null, used: [], message: '' } }).act).toBe('look');
  });

  it('comes back a tenth earlier or later than others', () => {
    expect([retryDelayMs(0), retryDelayMs(1)]).toEqual([54_000, 66_000]);
  });
});

describe('the record under our key', () => {
  it('is ours with our address and MAC, whoever wrote it last', () => {
    expect(judgeRecord(lease(), lease({ modRevision: '9' }))).toBe('ours');
  });

  it('is another host’s with another address', () => {
    const attributes = { ...ATTRIBUTES, publicIp: '192.168.9.99' };
    expect(judgeRecord(lease(), lease({ modRevision: '9', attributes }))).toBe('theirs');
  });

  it('is another agent’s with our address and another MAC', () => {
    expect(judgeRecord(lease(), lease({ modRevision: '9', attributes: OTHER_MAC }))).toBe('theirs');
  });

  it('is not ours to write over when it cannot be read', () => {
    const { attributes: _, ...base } = lease({ modRevision: '9' });
    expect(judgeRecord(lease(), { ...base, kind: 'unreadable-value', value: 'x', reason: 'is no JSON' })).toBe(
      'theirs',
    );
  });

  it('is another host’s also at the revision that ours had: a restored store counts a second time', () => {
    const attributes = { ...ATTRIBUTES, publicIp: '192.168.9.99' };
    expect(judgeRecord(lease(), lease({ attributes }))).toBe('theirs');
    expect(judgeRecord(lease(), lease())).toBe('unchanged');
  });

  it('is gone when there is none', () => {
    expect(judgeRecord(lease(), undefined)).toBe('gone');
  });
});
