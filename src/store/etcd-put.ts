import type { IKeyValue } from 'etcd3';
import { type Compare, commit, type Operation, type Verdict } from './etcd-commit.ts';
import type { FreshLease } from './etcd-fresh-lease.ts';
import type { EtcdOperation } from './etcd-session.ts';

/** flannel pkg/subnet/etcd: subnetTTL. */
export const LEASE_SECONDS = 86_400;

export interface ComparedPut {
  readonly key: Buffer;
  /** As {@link LeaseRecord.key}. */
  readonly name: string;
  readonly value: Buffer;
  /** `null`: the record gets no TTL. */
  readonly lease: FreshLease | null;
  /** `undefined`: there must be no record. */
  readonly replaces: IKeyValue | undefined;
  /** Beside that of `replaces`. */
  readonly compare: readonly Compare[];
  /** In the same transaction. */
  readonly more: readonly Operation[];
}

export type PutOutcome =
  | {
      readonly kind: 'written';
      readonly modRevision: string;
      readonly expiresAt: number | null;
      /** Decimal; `'0'`: none. */
      readonly leaseId: string;
    }
  | { readonly kind: 'taken'; readonly found: IKeyValue | undefined };

/** Writes one record. @throws {OutcomeUnknownError} when it is not known whether it was. */
export async function putCompared(operation: EtcdOperation, put: ComparedPut): Promise<PutOutcome> {
  const { key, name, value, lease, replaces, compare, more } = put;
  const granted = lease === null ? undefined : await lease.granted();
  const leaseId = granted?.id ?? '0';
  // from here on the lease may hold the key, unless etcd itself says that it does not
  const committed = await keepWhileUnsure(lease, () =>
    commit(operation, {
      key,
      what: name,
      compare: [replaces === undefined ? isAbsent(key) : isAt(key, replaces.mod_revision), ...compare],
      success: [{ request_put: { key, value, lease: leaseId } }, ...more],
      judge: (found) => judgePut(put, leaseId, found),
      isRepeatable: replaces !== undefined,
    }),
  );
  if (committed.kind === 'refused') return { kind: 'taken', found: committed.found };
  return { kind: 'written', modRevision: committed.revision, expiresAt: granted?.expiresAt ?? null, leaseId };
}

async function keepWhileUnsure(lease: FreshLease | null, work: () => ReturnType<typeof commit>) {
  const [outcome] = await Promise.allSettled([work()]);
  const isUnused = outcome.status === 'fulfilled' && outcome.value.kind === 'refused' && outcome.value.isCertain;
  if (!isUnused) lease?.keep();
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/** A fresh lease is on our record alone. Without one the record tells by its value and its count of writes. */
function judgePut({ value, lease, replaces }: ComparedPut, leaseId: string, found: IKeyValue | undefined): Verdict {
  if (found === undefined) return replaces === undefined ? 'not-yet' : 'superseded';
  if (found.mod_revision === replaces?.mod_revision) return 'not-yet';
  if (lease !== null) return found.lease === leaseId ? 'applied' : 'superseded';
  const isNext = Number(found.version) === Number(replaces?.version ?? '0') + 1;
  const isSameLife = replaces === undefined || found.create_revision === replaces.create_revision;
  return isNext && isSameLife && found.lease === '0' && found.value.equals(value) ? 'applied' : 'superseded';
}

function isAbsent(key: Buffer): Compare {
  return { target: 'Version', result: 'Equal', key, version: '0' };
}

export function isAt(key: Buffer, revision: string): Compare {
  return { target: 'Mod', result: 'Equal', key, mod_revision: revision };
}

/** Nothing below the prefix was written after that revision. Deletions are not seen, and take nobody's place. */
export function isUnwrittenSince(
  revision: string,
  range: { readonly key: Buffer; readonly range_end: Buffer },
): Compare {
  return { target: 'Mod', result: 'Less', ...range, mod_revision: (BigInt(revision) + 1n).toString() };
}
