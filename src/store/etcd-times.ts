import pLimit from 'p-limit';
import type { EtcdOperation } from './etcd-session.ts';

/** When etcd leases end; each is asked for once. */
export interface LeaseTimes {
  /** Epoch ms; `null` for lease `0`, which is none. */
  expiryOf(id: string): Promise<number | null>;
}

/** More do not make it quicker, fewer do. */
const CALLS_IN_FLIGHT = 64;

export function leaseTimes(operation: EtcdOperation): LeaseTimes {
  const limit = pLimit(CALLS_IN_FLIGHT);
  const asked = new Map<string, Promise<number>>();
  return {
    expiryOf: (id) => {
      if (id === '0') return Promise.resolve(null);
      const known = asked.get(id) ?? limit(() => readExpiry(operation, id));
      asked.set(id, known);
      return known;
    },
  };
}

/** A lease that has ended since the listing answers with a TTL of -1. */
function readExpiry(operation: EtcdOperation, id: string): Promise<number> {
  return operation.read(async ({ lease, options }) => {
    const { TTL } = await lease.leaseTimeToLive({ ID: id }, options);
    return Date.now() + Math.max(0, Number(TTL)) * 1000;
  });
}
