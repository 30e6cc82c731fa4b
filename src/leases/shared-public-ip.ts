import type { Lease, LeaseRecord } from '../store/store.ts';
import { isReservation } from './reservation.ts';

/** Several leases that name one host. */
export interface SharedPublicIp {
  readonly publicIp: string;
  readonly leases: readonly [Lease, Lease, ...Lease[]];
}

/**
 * Leases by the address of their owner, where there is more than one. An IPv6-only node publishes no IPv4 address, so its IPv6 one
 * decides. A reservation beside a lease is a plan for the node's next start.
 */
export function sharedPublicIps(records: readonly LeaseRecord[]): readonly SharedPublicIp[] {
  const groups = new Map<string, Lease[]>();
  for (const record of records) {
    if (record.kind !== 'lease' || isReservation(record)) continue;
    const publicIp = record.attributes.publicIp ?? record.attributes.publicIpv6;
    if (publicIp === null) continue;
    const group = groups.get(publicIp);
    if (group === undefined) groups.set(publicIp, [record]);
    else group.push(record);
  }
  return [...groups].flatMap(([publicIp, [first, second, ...more]]) =>
    first === undefined || second === undefined ? [] : [{ publicIp, leases: [first, second, ...more] as const }],
  );
}
