import type { Lease, LeaseAttributes, LeaseRecord } from '../store/store.ts';

/** What this node has of a lease. */
export type OwnLease =
  | { readonly status: 'none' }
  | HeldLease
  /** From an earlier run; no datastore has confirmed it. */
  | { readonly status: 'remembered'; readonly lease: Lease }
  /** Its record is gone; it is taken again if nobody has it. */
  | { readonly status: 'lost'; readonly lease: Lease }
  /** Another host holds what this one uses. `lease`: what we had; `null`: nothing since the start. */
  | {
      readonly status: 'conflict';
      readonly lease: Lease | null;
      readonly used: readonly string[];
      readonly message: string;
    };

/** Public addresses that are this node's: now, and as it published them last. */
export interface HeldLease {
  readonly status: 'held';
  /** As last written or read. */
  readonly lease: Lease;
  /** What we asked to be published; a store may publish another address in its place (Kubernetes: public-ip-overwrite). */
  readonly asked: LeaseAttributes;
  /** Monotonic ms at which the store drops it; `null`: never. */
  readonly endsAt: number | null;
}

export type OwnAddresses = readonly (string | null)[];

export type RecordVerdict = 'unchanged' | 'ours' | 'gone' | 'theirs';

/**
 * What the record under our key says of our lease. Ours has one of our addresses and our VTEP MAC: nobody else writes it while we run,
 * and a flanneld that takes over keeps both. A record that cannot be read is not ours to overwrite.
 */
export function judgeRecord(own: Lease, record: LeaseRecord | undefined): RecordVerdict {
  if (record === undefined) return 'gone';
  // a restored store counts its revisions a second time: the number alone says nothing
  if (!isOurs(own, record)) return 'theirs';
  return record.modRevision === own.modRevision ? 'unchanged' : 'ours';
}

/** Whether a record publishes our address and our VTEP MAC. */
export function isOurs({ attributes: published }: Lease, record: LeaseRecord): boolean {
  if (record.kind !== 'lease') return false;
  const { publicIp, publicIpv6, vtep, vtepV6 } = record.attributes;
  const isSameHost = publicIp === null ? publicIpv6 === published.publicIpv6 : publicIp === published.publicIp;
  return isSameHost && isSameVtep(vtep, published.vtep) && isSameVtep(vtepV6, published.vtepV6);
}

export interface CareInput {
  readonly own: OwnLease;
  /** What should be published. */
  readonly wanted: LeaseAttributes;
  /** Monotonic ms. */
  readonly now: number;
  /** Ms before its end at which a lease is renewed. */
  readonly marginMs: number;
  /** Monotonic ms before which nothing is tried again after a failure. */
  readonly retryAt: number;
  /** Something makes us doubt what we know of our record: an event, a clock that jumped, a pause. */
  readonly inDoubt: boolean;
}

export type CareStep =
  /** Nothing to do before `until` (monotonic ms). */
  | { readonly act: 'rest'; readonly until: number }
  | { readonly act: 'renew'; readonly lease: Lease; readonly why: 'margin' | 'attributes' }
  /** Read all leases, then take ours again, or the first one, if nobody else has it. */
  | { readonly act: 'acquire'; readonly why: 'none' | 'lost' | 'unconfirmed' }
  /** Read our record before anything is written. */
  | { readonly act: 'verify'; readonly lease: Lease }
  /** Read all leases: the other host may be gone. */
  | { readonly act: 'look' };

/** A quarter of an hour is what a change nobody told us of may take to be seen. */
const LOOK_MS = 15 * 60_000;

/** What is to be done for the lease now. */
export function decideCare({ own, wanted, now, marginMs, retryAt, inDoubt }: CareInput): CareStep {
  if (now < retryAt) return { act: 'rest', until: retryAt };
  switch (own.status) {
    case 'none':
      return { act: 'acquire', why: 'none' };
    case 'lost':
      return { act: 'acquire', why: 'lost' };
    case 'remembered':
      return { act: 'acquire', why: 'unconfirmed' };
    case 'conflict':
      return { act: 'look' };
    case 'held': {
      const { lease, asked, endsAt } = own;
      if (inDoubt) return { act: 'verify', lease };
      if (!isPublished(asked, wanted)) return { act: 'renew', lease, why: 'attributes' };
      if (endsAt === null) return { act: 'rest', until: now + LOOK_MS };
      const dueAt = endsAt - marginMs;
      return dueAt <= now
        ? { act: 'renew', lease, why: 'margin' }
        : { act: 'rest', until: Math.min(dueAt, now + LOOK_MS) };
    }
  }
}

/** A minute, a tenth more or less, so that nodes that lost the datastore together do not come back together. */
export function retryDelayMs(random: number): number {
  return Math.round(60_000 * (0.9 + 0.2 * random));
}

/** Whether what is published is what should be. */
export function isPublished(published: LeaseAttributes, wanted: LeaseAttributes): boolean {
  return (
    published.publicIp === wanted.publicIp &&
    published.publicIpv6 === wanted.publicIpv6 &&
    published.backendType === wanted.backendType &&
    isSameVtep(published.vtep, wanted.vtep) &&
    isSameVtep(published.vtepV6, wanted.vtepV6)
  );
}

function isSameVtep(a: LeaseAttributes['vtep'], b: LeaseAttributes['vtep']): boolean {
  return a?.mac === b?.mac && a?.vni === b?.vni;
}
