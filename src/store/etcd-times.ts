import { leaseId } from './etcd-lease-id.ts';
import type { EtcdOperation } from './etcd-session.ts';
import type { LeasePage, LeaseRecord } from './store.ts';

/** More do not make it quicker, fewer do. */
const CALLS_IN_FLIGHT = 64;

/** Records whose times are told together. */
const PAGE = 1000;

export type Expiries = ReadonlyMap<string, number>;

/** When etcd leases end, epoch ms, by the texts that name them; each is asked for once. */
export async function readExpiries(operation: EtcdOperation, leases: Iterable<string | null>): Promise<Expiries> {
  const waiting = new Set(leases);
  waiting.delete(null);
  const expiries = new Map<string, number>();
  const askOneByOne = async () => {
    try {
      for (const lease of waiting) {
        if (lease === null) continue;
        waiting.delete(lease);
        expiries.set(lease, await readExpiry(operation, lease));
      }
    } catch (error) {
      // the others need not go on
      waiting.clear();
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_IN_FLIGHT, waiting.size) }, askOneByOne));
  return expiries;
}

/** The records with the time they have now; `onPage`: told of each page of them as soon as it is read. */
export async function withExpiries(
  operation: EtcdOperation,
  { records, revision }: LeasePage,
  onPage?: (page: LeasePage) => void,
): Promise<readonly LeaseRecord[]> {
  const timed: LeaseRecord[] = [];
  for (let from = 0; from < records.length; from += PAGE) {
    const page = records.slice(from, from + PAGE);
    const expiries = await readExpiries(
      operation,
      page.map(({ etcdLease }) => etcdLease),
    );
    const done = page.map((record) => ({ ...record, expiresAt: expiryOf(record, expiries) }));
    for (const record of done) timed.push(record);
    onPage?.({ records: done, revision });
  }
  return timed;
}

/** `null`: no etcd lease is attached, so it never ends. */
export function expiryOf(
  { etcdLease }: { readonly etcdLease: string | null },
  expiries: Expiries,
): number | null | undefined {
  return etcdLease === null ? null : expiries.get(etcdLease);
}

/** A lease that has ended since the listing answers with a TTL of -1. */
function readExpiry(operation: EtcdOperation, text: string): Promise<number> {
  return operation.read(async ({ lease, options }) => {
    const { TTL } = await lease.leaseTimeToLive({ ID: leaseId(text) }, options);
    return Date.now() + Math.max(0, Number(TTL)) * 1000;
  });
}
