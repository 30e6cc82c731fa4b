import { ConflictError, FlannelctlError, InputError, UnavailableError } from '../errors.ts';
import { type Places, placesOf } from '../store/place.ts';
import type { DumpedRecord, LeaseListing, LeaseRecord, SubnetStore } from '../store/store.ts';
import { decodeDumped, type LeaseBackup } from './backup.ts';
import { type Interruptible, promptly } from './promptly.ts';

export interface RestoreInput extends Interruptible {
  readonly store: SubnetStore;
  readonly backup: LeaseBackup;
  /** Of the leases in the datastore. */
  readonly prefix: string;
  /** Also a backup of another cluster or prefix. */
  readonly isForced: boolean;
  /** Epoch ms. */
  readonly now: number;
  readonly isDry: boolean;
}

/** What became of one record of the backup. */
export interface Restored {
  readonly record: LeaseRecord;
  readonly result: 'restored' | 'would-restore' | 'present' | 'expired' | 'refused' | 'failed' | 'untried';
  /** What is left of its time; `null`: it has no TTL. */
  readonly ttlSeconds: number | null;
  /** Why, where it was not put back. */
  readonly message: string | null;
  /** Of one that failed. */
  readonly error: FlannelctlError | null;
}

/**
 * Puts the records of a backup back, one after the other, each only where nothing took its place, with what is left of its time. A
 * record whose own owner has it again is `present`. What cannot be written ends it: the rest is `untried`.
 *
 * @throws {InputError} when the backup is not of this datastore, {InterruptedError} when a signal came before: nothing was written.
 */
export async function restoreLeases(input: RestoreInput): Promise<Restoration> {
  const { store, backup, prefix, isForced, isDry, signal } = input;
  const listing = await promptly(store.listLeases({ ttl: false }), input);
  if (!isForced) assertSamePlace(backup, { clusterId: listing.clusterId, prefix });
  const present = new Map(listing.records.map((record) => [record.key, record]));
  const putBack = isDry ? dryPutBack(placesOf(listing.records)) : store.putBack;
  const restored: Restored[] = [];
  for (const dumped of backup.records) {
    const isOver = signal.aborted || restored.some(({ result }) => result === 'failed');
    restored.push(isOver ? untried(dumped) : await restoreOne(dumped, present, { ...input, putBack }));
  }
  return { listing, restored };
}

export interface Restoration {
  /** The datastore before anything was put back. */
  readonly listing: LeaseListing;
  /** In the order of the backup. */
  readonly restored: readonly Restored[];
}

/** @throws {InputError} when the backup is of another cluster or another prefix. */
function assertSamePlace(
  backup: Pick<LeaseBackup, 'clusterId' | 'prefix'>,
  place: Pick<LeaseBackup, 'clusterId' | 'prefix'>,
): void {
  const hint = 'Check the datastore that is named; --force restores it there all the same.';
  if (backup.clusterId !== place.clusterId) {
    const [of, here] = [backup.clusterId ?? 'none', place.clusterId ?? 'none'];
    throw new InputError(`the backup is of the cluster ${of}, and this is ${here}`, { hint });
  }
  if (backup.prefix !== place.prefix) {
    throw new InputError(`the backup is of ${backup.prefix}, and this is ${place.prefix}`, { hint });
  }
}

/** Seconds left now of what the backup had; `null`: no TTL. A clock that went back takes nothing away. */
export function secondsLeft({ ttlSeconds }: DumpedRecord, { createdAt }: LeaseBackup, now: number): number | null {
  if (ttlSeconds === null) return null;
  return Math.floor(ttlSeconds - Math.max(0, now - createdAt) / 1000);
}

async function restoreOne(
  dumped: DumpedRecord,
  present: ReadonlyMap<string, LeaseRecord>,
  input: RestoreInput & Pick<SubnetStore, 'putBack'>,
): Promise<Restored> {
  const { backup, now, isDry, putBack } = input;
  const record = decodeDumped(dumped);
  const ttlSeconds = secondsLeft(dumped, backup, now);
  const there = present.get(dumped.key);
  const end = (result: Restored['result'], message: string | null = null): Restored => ({
    ...{ record, ttlSeconds, result, message, error: null },
  });
  if (there !== undefined && isSameOwner(there, record)) return end('present');
  if (ttlSeconds !== null && ttlSeconds < 1) return end('expired', 'its time is over');
  try {
    await promptly(putBack(dumped, ttlSeconds), input, `${dumped.key} was put back`);
    return end(isDry ? 'would-restore' : 'restored');
  } catch (error) {
    if (isOfRecord(error)) return end('refused', error.message);
    if (error instanceof FlannelctlError) return { ...end('failed', error.message), error };
    throw error;
  }
}

/** What is against this record alone; the others have nothing to do with it. */
function isOfRecord(error: unknown): error is FlannelctlError {
  const isMalformed = error instanceof UnavailableError && error.reason === 'malformed';
  return isMalformed || error instanceof ConflictError || error instanceof InputError;
}

/** The same rules over the records as they were read, and nothing written. */
function dryPutBack(places: Places): SubnetStore['putBack'] {
  return async (dumped) => {
    const record = decodeDumped(dumped);
    places.assertFree(record);
    places.add(record);
    return record;
  };
}

function untried(dumped: DumpedRecord): Restored {
  return { record: decodeDumped(dumped), result: 'untried', ttlSeconds: dumped.ttlSeconds, message: null, error: null };
}

/** The owner came back to its subnet, or the record never went away. */
function isSameOwner(there: LeaseRecord, record: LeaseRecord): boolean {
  if (there.kind !== 'lease' || record.kind !== 'lease') return there.kind === record.kind && sameText(there, record);
  const { publicIp, publicIpv6 } = record.attributes;
  return there.attributes.publicIp === publicIp && there.attributes.publicIpv6 === publicIpv6;
}

function sameText(there: LeaseRecord, record: LeaseRecord): boolean {
  return there.kind !== 'lease' && record.kind !== 'lease' && there.value === record.value;
}
