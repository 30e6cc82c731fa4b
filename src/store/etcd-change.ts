import type { IKeyValue } from 'etcd3';
import { ConflictError } from '../errors.ts';
import { writeLease } from './etcd-acquire.ts';
import { type Compare, commit, type Verdict } from './etcd-commit.ts';
import { freshLease } from './etcd-fresh-lease.ts';
import { leaseId, leaseText } from './etcd-lease-id.ts';
import { isAt, LEASE_SECONDS } from './etcd-put.ts';
import { keyOfRecord, readRecord } from './etcd-records.ts';
import type { EtcdOperation } from './etcd-session.ts';
import { encodeLeaseValue } from './lease-value.ts';
import { tooMuchTime } from './place.ts';
import type { Lease, LeaseAttributes, LeaseRecord } from './store.ts';

interface Change {
  readonly operation: EtcdOperation;
  readonly prefix: string;
}

/** @throws {ConflictError} when the record is no longer as given. */
export async function renewInEtcd(
  { operation, prefix }: Change,
  lease: Lease,
  attributes: LeaseAttributes,
): Promise<Lease> {
  const key = keyOfRecord(lease.key, prefix);
  const current = assertUnchanged(await readRecord(operation, key), lease, 'renewed');
  const value = Buffer.from(encodeLeaseValue(attributes, current.value.toString('utf8')));
  const fresh = current.lease === '0' ? null : freshLease(operation, LEASE_SECONDS);
  try {
    const put = { key, name: lease.key, value, lease: fresh, replaces: current, compare: [], more: [] };
    const written = await writeLease(operation, put);
    if ('found' in written) throw changed(written.found, lease, 'renewed');
    return written;
  } finally {
    await fresh?.giveBack();
  }
}

/** @throws {ConflictError} when the record is no longer as given, or has more time left than it may have. */
export async function removeFromEtcd(
  { operation, prefix }: Change,
  record: LeaseRecord,
  most: number | undefined,
): Promise<void> {
  const key = keyOfRecord(record.key, prefix);
  const id = leaseIdOf(record);
  const [found, seconds] = await Promise.all([readRecord(operation, key), readSecondsLeft(operation, id)]);
  const current = assertUnchanged(found, record, 'removed');
  if (most !== undefined && seconds !== null && seconds > most) throw tooMuchTime(record.key, seconds);
  const committed = await commit(operation, {
    key,
    what: `the removal of ${record.key}`,
    compare: [isAt(key, record.modRevision), isHeldBy(key, id)],
    success: [{ request_delete_range: { key } }],
    judge: (left) => judgeRemoval(current, left),
    isRepeatable: true,
  });
  if (committed.kind === 'refused') throw changed(committed.found, record, 'removed');
}

/** Gone, or made anew after it was gone: there is no record left that we were asked to remove. */
function judgeRemoval(before: IKeyValue, found: IKeyValue | undefined): Verdict {
  if (found?.create_revision !== before.create_revision) return 'applied';
  return found.mod_revision === before.mod_revision ? 'not-yet' : 'superseded';
}

/** `null`: there is no lease. A lease that has ended since answers with -1. */
function readSecondsLeft(operation: EtcdOperation, id: string): Promise<number | null> {
  if (id === '0') return Promise.resolve(null);
  return operation.read(async ({ lease, options }) => Number((await lease.leaseTimeToLive({ ID: id }, options)).TTL));
}

function isHeldBy(key: Buffer, lease: string): Compare {
  return { target: 'Lease', result: 'Equal', key, lease };
}

function leaseIdOf({ etcdLease }: LeaseRecord): string {
  return etcdLease === null ? '0' : leaseId(etcdLease);
}

function assertUnchanged(found: IKeyValue | undefined, record: LeaseRecord, done: string): IKeyValue {
  const isSame = found?.mod_revision === record.modRevision && leaseText(found.lease) === record.etcdLease;
  if (found !== undefined && isSame) return found;
  throw changed(found, record, done);
}

function changed(found: IKeyValue | undefined, { key, modRevision }: LeaseRecord, done: string): ConflictError {
  if (found === undefined) return new ConflictError(`${key} was not ${done}: it is gone`);
  const at = `it was written meanwhile (revision ${found.mod_revision}, not ${modRevision})`;
  return new ConflictError(`${key} was not ${done}: ${at}`);
}
