import type { LeaseBackup } from '../../src/leases/backup.ts';
import type { Removal } from '../../src/leases/remove.ts';
import type { Silence } from '../../src/probe/silence-verdict.ts';
import type { DumpedRecord, Lease } from '../../src/store/store.ts';

/** One operation of one actor: on whose behalf a call reaches etcd, and what is known of it. */
export type Deed =
  | { readonly kind: 'setup' | 'expiry' | 'administration' }
  /** An owner that writes as flanneld does: unconditionally. */
  | { readonly kind: 'flannel' }
  | { readonly kind: 'acquire'; readonly publicIp: string }
  | { readonly kind: 'renew'; readonly lease: Lease }
  | PruneDeed
  | RestoreDeed;

export interface PruneDeed {
  readonly kind: 'prune';
  /** Address of the owner that runs on the same machine; `null`: none does. */
  readonly ownIp: string | null;
  /** What an honest measurement said of the owner at its moment, by key. */
  readonly measured: Map<string, Silence['verdict']>;
  /** By key. */
  readonly planned: Map<string, Removal>;
  /** Turn at which the leases had been read. */
  listedAt: number;
  /** What the backup holds, by key. */
  readonly saved: Map<string, Saved>;
}

export interface Saved {
  readonly record: DumpedRecord;
  /** Turn at which the file had been written. */
  readonly at: number;
}

export interface RestoreDeed {
  readonly kind: 'restore';
  readonly backup: LeaseBackup;
}

/** One call that may have changed etcd. */
export interface Write {
  readonly deed: Deed;
  /** Turn at which the method of the store began that the write belongs to. */
  readonly beganAt: number;
  /** Time of the model at which it took effect. */
  readonly sentAt: number;
}
