import pLimit from 'p-limit';
import { ConflictError } from '../errors.ts';
import { decodeRecord } from './codec.ts';
import type { Chance } from './etcd-chance.ts';
import { type FreshLease, freshLease } from './etcd-fresh-lease.ts';
import { leaseText } from './etcd-lease-id.ts';
import { isUnwrittenSince, putCompared } from './etcd-put.ts';
import {
  keyNamer,
  keyOfRecord,
  keyOfText,
  listRecords,
  rawRecordOf,
  readRecord,
  subnetsRange,
} from './etcd-records.ts';
import type { EtcdOperation, EtcdSession } from './etcd-session.ts';
import { assertHasTimeLeft, type Places, placesOf } from './place.ts';
import type { DumpedRecord, LeaseRecord, SubnetStore } from './store.ts';

const TRIES = 20;

/** All leases as of a revision, after which nobody has written one but us. */
interface Seen {
  readonly places: Places;
  readonly revision: string;
}

interface Restoration {
  readonly operation: EtcdOperation;
  readonly prefix: string;
  readonly dumped: DumpedRecord;
  readonly fresh: FreshLease | null;
  readonly chance: Chance;
}

/**
 * Each put compares that nobody wrote a lease since all were read. What one put has seen serves the next, refusals too, so that
 * a thousand records do not need a thousand listings; one after the other, because each would be a stranger to the others.
 */
export function putBackIntoEtcd(session: EtcdSession, prefix: string, chance: Chance): SubnetStore['putBack'] {
  const oneByOne = pLimit(1);
  const memory: Memory = { seen: undefined };
  return (dumped, ttlSeconds) =>
    oneByOne(async () => {
      assertHasTimeLeft(dumped.key, ttlSeconds);
      keyOfRecord(dumped.key, prefix);
      return session.run(async (operation) => {
        const fresh = ttlSeconds === null ? null : freshLease(operation, Math.ceil(ttlSeconds));
        try {
          return await restore({ operation, prefix, dumped, fresh, chance }, memory);
        } finally {
          await fresh?.giveBack();
        }
      });
    });
}

interface Memory {
  /** `undefined`: it has to be read. */
  seen: Seen | undefined;
}

async function restore(work: Restoration, memory: Memory): Promise<LeaseRecord> {
  if (memory.seen !== undefined && !(await isFreed(work, memory.seen))) {
    const record = await tryToPut(work, memory, memory.seen);
    if (record !== undefined) return record;
  }
  for (let left = TRIES; left > 0; left -= 1) {
    const record = await tryToPut(work, memory, await look(work));
    if (record !== undefined) return record;
    await work.chance.pause();
  }
  throw new ConflictError(`${work.dumped.key} is not put back: others wrote leases ${TRIES} times in a row`, {
    hint: 'Run the command again.',
  });
}

/** Whoever was seen in its place may have gone since; it alone is looked at again, and not all leases. */
async function isFreed({ operation, prefix, dumped }: Restoration, { places }: Seen): Promise<boolean> {
  const wanted = recordOf(dumped);
  const rival = places.rivalOf(wanted);
  if (rival === undefined) return false;
  const found = await readRecord(operation, keyOfText(rival.key, prefix));
  return (
    found === undefined || placesOf([decodeRecord(rawRecordOf(found, keyNamer(prefix)))]).rivalOf(wanted) === undefined
  );
}

async function look({ operation, prefix }: Restoration): Promise<Seen> {
  const { records, revision } = await listRecords(operation, prefix, { ttl: false });
  return { places: placesOf(records), revision };
}

/** `undefined`: somebody has written a lease meanwhile. @throws {ConflictError} when the place is taken. */
async function tryToPut(work: Restoration, memory: Memory, seen: Seen): Promise<LeaseRecord | undefined> {
  const { operation, prefix, dumped, fresh } = work;
  memory.seen = seen;
  seen.places.assertFree(recordOf(dumped));
  // what is known of the places holds again when the answer is there
  memory.seen = undefined;
  const value = Buffer.from(dumped.valueBase64, 'base64');
  const written = await putCompared(operation, {
    ...{ key: keyOfRecord(dumped.key, prefix), name: dumped.key, value, lease: fresh, replaces: undefined },
    compare: [isUnwrittenSince(seen.revision, subnetsRange(prefix))],
    more: [],
  });
  if (written.kind === 'taken') return undefined;
  const { modRevision, expiresAt, leaseId } = written;
  const record = recordOf(dumped, { modRevision, expiresAt, etcdLease: leaseText(leaseId) });
  seen.places.add(record);
  memory.seen = { places: seen.places, revision: modRevision };
  return record;
}

const UNWRITTEN = { modRevision: '0', expiresAt: null, etcdLease: null };

function recordOf(
  { key, valueBase64 }: DumpedRecord,
  written: Pick<LeaseRecord, 'modRevision' | 'expiresAt' | 'etcdLease'> = UNWRITTEN,
): LeaseRecord {
  return decodeRecord({ key, value: Buffer.from(valueBase64, 'base64').toString('utf8'), ...written });
}
