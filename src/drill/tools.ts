import type { Clock } from '../host/clock.ts';
import type { Host, HostWriter } from '../host/host.ts';
import type { StoreSelection, SubnetStore } from '../store/store.ts';
import type { RawStore } from './fault.ts';

/** What the drill works with; given by the command. */
export interface DrillTools {
  readonly host: Host;
  readonly writer: HostWriter;
  readonly clock: Clock;
  /** Aborted by SIGINT and SIGTERM: what was made is removed. */
  readonly signal: AbortSignal;
  openStore(selection: StoreSelection): Promise<SubnetStore>;
  openRaw(selection: StoreSelection): Promise<ClosableRawStore>;
}

export interface ClosableRawStore extends RawStore {
  close(): Promise<void>;
}

export interface Wait {
  readonly timeoutMs: number;
  /** Between two looks. */
  readonly everyMs: number;
}

/** Looks again until something is there; `undefined` when the time is over. */
export async function waitFor<T>(
  { clock, signal }: Pick<DrillTools, 'clock' | 'signal'>,
  { timeoutMs, everyMs }: Wait,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const end = clock.monotonic() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined || clock.monotonic() >= end) return found;
    await clock.sleep(everyMs, signal);
  }
}
