import { UnavailableError } from '../errors.ts';
import type { Clock } from '../host/clock.ts';
import type { LeaseListing, LeaseRecord, StoreEvent, WatchOptions } from './store.ts';

export interface FileWatch extends WatchOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly list: () => Promise<LeaseListing>;
}

const POLL_MS = 250;

/** The document is read again and again; what differs are the events. */
export async function* watchFile(watch: FileWatch): AsyncGenerator<StoreEvent> {
  const { signal, clock, list } = watch;
  if (signal.aborted) return;
  let known = await list();
  let because: string | null = null;
  yield { type: 'snapshot', listing: known, because };
  while (await passes(clock, signal)) {
    const listing = await listAgain(watch);
    if (listing === undefined) {
      because = 'reconnected';
      continue;
    }
    // a lower revision: somebody put another document in its place
    if (BigInt(listing.revision) < BigInt(known.revision)) because = 'replaced';
    if (because === null) yield* differences(known, listing);
    else yield { type: 'snapshot', listing, because };
    known = listing;
    because = null;
  }
}

async function passes(clock: Clock, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(POLL_MS, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return !signal.aborted;
}

async function listAgain({ list, onInterruption }: FileWatch): Promise<LeaseListing | undefined> {
  try {
    return await list();
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    onInterruption?.(error);
    return undefined;
  }
}

function* differences(before: LeaseListing, { records, revision }: LeaseListing): Generator<StoreEvent> {
  const old = new Map(before.records.map((record) => [record.key, record]));
  const keys = new Set(records.map(({ key }) => key));
  for (const { key } of before.records) if (!keys.has(key)) yield { type: 'delete', key, revision };
  const isNew = ({ key, modRevision }: LeaseRecord) => old.get(key)?.modRevision !== modRevision;
  for (const record of records.filter(isNew)) yield { type: 'put', record, revision: record.modRevision };
}
