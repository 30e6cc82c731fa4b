import type { LeaseRecord } from '../store/store.ts';

/**
 * A subnet that an administrator keeps for a node: a key without a TTL that publishes nothing a peer would program. With Kubernetes
 * no lease has a TTL, so that none is a reservation there.
 */
export function isReservation(record: LeaseRecord): boolean {
  if (record.kind === 'malformed-key' || record.expiresAt !== null || record.node !== null) return false;
  if (record.kind === 'unreadable-value') return record.value.trim() === '';
  const { backendData, backendV6Data } = record.attributes;
  return isNothing(backendData) && isNothing(backendV6Data);
}

function isNothing(data: unknown): boolean {
  return data === null || data === undefined;
}
