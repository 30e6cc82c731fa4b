import type { EtcdOperation } from './etcd-session.ts';

export interface GrantedLease {
  /** As etcd's API has it: decimal. */
  readonly id: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** An etcd lease of our own for one record. */
export interface FreshLease {
  /** Granted when it is first asked for. */
  granted(): Promise<GrantedLease>;
  /** It holds a key, or may hold one: it is left to live or to end by itself. */
  keep(): void;
  /** Revoked, unless it was kept: then it provably never held a key. */
  giveBack(): Promise<void>;
}

/** `seconds`: its time to live. */
export function freshLease(operation: EtcdOperation, seconds: number): FreshLease {
  let grant: Promise<GrantedLease> | undefined;
  let isKept = false;
  return {
    granted: () => {
      grant ??= grantLease(operation, seconds);
      return grant;
    },
    keep: () => {
      isKept = true;
    },
    giveBack: async () => {
      if (grant === undefined || isKept) return;
      // an empty lease that cannot be revoked ends by itself and harms nobody
      await Promise.allSettled([grant.then(({ id }) => revokeLease(operation, id))]);
    },
  };
}

/** A grant whose answer is lost may be asked for again: a lease without a key is nothing but a number. */
function grantLease(operation: EtcdOperation, seconds: number): Promise<GrantedLease> {
  return operation.read(async ({ lease, options }) => {
    const { ID, TTL } = await lease.leaseGrant({ TTL: seconds }, options);
    return { id: ID, expiresAt: Date.now() + Number(TTL) * 1000 };
  });
}

function revokeLease(operation: EtcdOperation, id: string): Promise<unknown> {
  return operation.read(({ lease, options }) => lease.leaseRevoke({ ID: id }, options));
}
