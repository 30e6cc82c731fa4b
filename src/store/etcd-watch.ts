import { setTimeout as sleep } from 'node:timers/promises';
import type { IEvent, IWatchResponse } from 'etcd3';
import { UnavailableError } from '../errors.ts';
import { decodeRecord } from './codec.ts';
import { CompactedError, RestoredError } from './etcd-pages.ts';
import { type EtcdListOptions, type KeyNamer, keyNamer, rawRecordOf, subnetsRange } from './etcd-records.ts';
import type { EtcdOperation, EtcdSession } from './etcd-session.ts';
import { watchMessages } from './etcd-stream.ts';
import { expiryOf, readExpiries } from './etcd-times.ts';
import type { LeaseListing, StoreEvent, WatchOptions } from './store.ts';

export interface EtcdWatch extends WatchOptions {
  readonly session: EtcdSession;
  readonly prefix: string;
  readonly signal: AbortSignal;
  readonly listing: (operation: EtcdOperation, options: EtcdListOptions) => Promise<LeaseListing>;
}

/**
 * List, then watch from the next revision on. After a gap the records are told as of the last revision that was told, and
 * then every change since: none is lost, none comes twice, and none is older than the snapshot before it. Only where etcd
 * has dropped that revision, or was restored to one before it, does the snapshot leap.
 */
export async function* watchEtcd(watch: EtcdWatch): AsyncGenerator<StoreEvent> {
  const { signal } = watch;
  if (signal.aborted) return;
  const told: Told = { revision: '0', pauseMs: SHORTEST_PAUSE_MS };
  let snapshot = await firstLook(watch);
  while (!signal.aborted) {
    if (snapshot !== undefined) {
      yield { type: 'snapshot', ...snapshot };
      told.revision = snapshot.listing.revision;
      yield* follow(watch, told);
    }
    await pause(told, signal);
    if (!signal.aborted) snapshot = await lookAgain(watch, told);
  }
}

async function firstLook(watch: EtcdWatch): Promise<Snapshot | undefined> {
  try {
    return { listing: await list(watch, undefined), because: null };
  } catch (error) {
    if (watch.signal.aborted) return undefined;
    throw error;
  }
}

interface Told {
  /** Everything up to here has been told. */
  revision: string;
  pauseMs: number;
}

const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

interface Snapshot {
  readonly listing: LeaseListing;
  readonly because: string | null;
}

/** Until the stream ends, for whatever reason. */
async function* follow(watch: EtcdWatch, told: Told): AsyncGenerator<StoreEvent> {
  try {
    for await (const { events, revision } of wholeRevisions(messagesAfter(watch, told.revision))) {
      yield* await eventsOf(watch, events);
      told.revision = revision;
      told.pauseMs = SHORTEST_PAUSE_MS;
    }
  } catch (error) {
    // the snapshot that follows finds out for itself
    if (!(error instanceof CompactedError)) interrupted(watch, error);
  }
}

async function* messagesAfter({ session, prefix, signal }: EtcdWatch, revision: string) {
  const start_revision = (BigInt(revision) + 1n).toString();
  // without fragments all that was missed comes in one message, which may be more than is taken
  const request = { ...subnetsRange(prefix), start_revision, progress_notify: true, fragment: true };
  const connection = await orAborted(signal, session.pick());
  yield* watchMessages({ connection, request, signal, timeoutMs: session.timeoutMs });
}

interface Changes {
  readonly events: readonly IEvent[];
  /** The last of which everything is told with them. */
  readonly revision: string;
}

/** etcd breaks a long message anywhere: what a fragment has of its last revision waits for the rest. */
async function* wholeRevisions(messages: AsyncIterable<IWatchResponse>): AsyncGenerator<Changes> {
  let waiting: readonly IEvent[] = [];
  for await (const { created, events, fragment, header } of messages) {
    // "created" names the newest revision although what lies before it has not been sent yet
    if (created) continue;
    const all = [...waiting, ...events];
    const last = all.at(-1)?.kv.mod_revision;
    waiting = fragment ? all.filter(({ kv }) => kv.mod_revision === last) : [];
    const whole = all.slice(0, all.length - waiting.length);
    const revision = whole.at(-1)?.kv.mod_revision ?? header.revision;
    if (whole.length > 0 || !fragment) yield { events: whole, revision };
  }
}

/** The times of one message are read side by side; a message whose times cannot be read is asked for again. */
async function eventsOf(
  { session, prefix, signal, ttl }: EtcdWatch,
  told: readonly IEvent[],
): Promise<readonly StoreEvent[]> {
  const nameOf = keyNamer(prefix);
  const events = told.map((event) => eventOf(event, nameOf));
  if (ttl === false) return events;
  const leases = events.map((event) => (event.type === 'put' ? event.record.etcdLease : null));
  const expiries = await orAborted(
    signal,
    session.run((operation) => readExpiries(operation, leases)),
  );
  return events.map((event) =>
    event.type === 'put'
      ? { ...event, record: { ...event.record, expiresAt: expiryOf(event.record, expiries) } }
      : event,
  );
}

type ChangeEvent = Exclude<StoreEvent, { readonly type: 'snapshot' }>;

function eventOf({ type, kv }: IEvent, nameOf: KeyNamer): ChangeEvent {
  const revision = kv.mod_revision;
  if (type !== 'Put') return { type: 'delete', key: nameOf(kv.key), revision };
  return { type: 'put', record: decodeRecord(rawRecordOf(kv, nameOf)), revision };
}

/** `undefined`: the store cannot be read yet. */
async function lookAgain(watch: EtcdWatch, { revision: at }: Told): Promise<Snapshot | undefined> {
  try {
    return { listing: await list(watch, at), because: 'reconnected' };
  } catch (error) {
    if (error instanceof CompactedError) return leap(watch, 'compacted');
    if (error instanceof RestoredError) return leap(watch, 'restored');
    return interrupted(watch, error);
  }
}

async function leap(watch: EtcdWatch, because: string): Promise<Snapshot | undefined> {
  try {
    return { listing: await list(watch, undefined), because };
  } catch (error) {
    return interrupted(watch, error);
  }
}

function list({ session, signal, listing, ttl = true }: EtcdWatch, at: string | undefined): Promise<LeaseListing> {
  return orAborted(
    signal,
    session.run((operation) => listing(operation, { ttl, at })),
  );
}

/** Who ends the watch does not wait for etcd. */
async function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function interrupted({ signal, onInterruption }: EtcdWatch, error: unknown): undefined {
  if (signal.aborted) return;
  if (!(error instanceof UnavailableError)) throw error;
  onInterruption?.(error);
}

/** Longer each time, and never the same for two clients that lost the same etcd. */
async function pause(told: Told, signal: AbortSignal): Promise<void> {
  const ms = told.pauseMs * (0.5 + Math.random() / 2);
  told.pauseMs = Math.min(2 * told.pauseMs, LONGEST_PAUSE_MS);
  await Promise.allSettled([sleep(ms, undefined, { signal })]);
}
