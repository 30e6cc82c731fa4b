import type { OverdueLease } from '../../src/facts/lease-renewals.ts';
import type { Lease, LeaseAttributes, LeaseRecord } from '../../src/store/store.ts';
import { leaseOf } from './probe-builders.ts';

type LeaseParts = Partial<Omit<Lease, 'attributes'>> & { readonly attributes?: Partial<LeaseAttributes> };

/** The lease of node N: `10.244.N.0/24` at `192.168.77.N`, with 24 hours left at epoch 0. */
export function leaseAt(number: number, { attributes, ...more }: LeaseParts = {}): Lease {
  const mac = `02:00:00:00:00:${number.toString(16).padStart(2, '0')}`;
  const lease = leaseOf({ subnet: `10.244.${number}.0/24`, publicIp: `192.168.77.${number}`, mac });
  return { ...lease, ...more, attributes: { ...lease.attributes, ...attributes } };
}

/** What somebody else keeps for a node: no TTL, nothing published. */
export function reservationAt(number: number): Lease {
  return leaseAt(number, {
    expiresAt: null,
    etcdLease: null,
    attributes: { backendType: '', vtep: null, backendData: null, backendV6Data: null },
  });
}

/** A subnet key with a value that is no JSON, or a key that is no subnet. */
export function badRecord(kind: 'unreadable-value' | 'malformed-key', value = 'junk'): LeaseRecord {
  const base = { expiresAt: null, etcdLease: null, modRevision: '3', node: null, value };
  if (kind === 'malformed-key') return { ...base, kind, key: 'not-a-subnet', reason: 'the key is no subnet' };
  const subnets = { subnet: '10.244.1.0/24', ipv6Subnet: null };
  return { ...base, ...subnets, kind, key: '10.244.1.0-24', reason: 'the value does not parse' };
}

/** The lease of node N with ten minutes left. */
export function overdueAt(number: number, more: Partial<OverdueLease> = {}): OverdueLease {
  return {
    key: `10.244.${number}.0-24`,
    subnet: `10.244.${number}.0/24`,
    publicIp: `192.168.77.${number}`,
    remainingSeconds: 600,
    marginSeconds: 3600,
    isOwn: false,
    ...more,
  };
}
