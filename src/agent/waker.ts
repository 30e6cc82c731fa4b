import type { Clock } from '../host/clock.ts';

/** Silence after which a burst is over. */
const QUIET_MS = 20;
/** A burst that does not end is not waited for longer. */
const MOST_MS = 200;

/**
 * Gathers reasons to look again: however many came, and however fast, they are one look. An event that is missed costs time alone,
 * because whoever is woken looks at everything.
 */
export class Waker {
  readonly #clock: Clock;
  #reasons = new Map<string, number>();
  #rings = 0;
  #onRing: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(reason: string): void {
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    this.#rings += 1;
    this.#onRing?.();
  }

  /** Why it was woken, and how often each; empty when `timeoutMs` passed instead, or when `signal` aborted. */
  async next(timeoutMs: number, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    if (this.#reasons.size === 0) await this.#rung(timeoutMs, signal);
    if (this.#reasons.size > 0) await this.#settled(signal);
    const reasons = this.#reasons;
    this.#reasons = new Map();
    return reasons;
  }

  async #rung(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const rung = Promise.withResolvers<void>();
    this.#onRing = () => rung.resolve();
    try {
      const late = pause(this.#clock, timeoutMs, AbortSignal.any([signal, ended.signal]));
      await Promise.race([rung.promise, late]);
    } finally {
      this.#onRing = undefined;
      ended.abort();
    }
  }

  async #settled(signal: AbortSignal): Promise<void> {
    const endsAt = this.#clock.monotonic() + MOST_MS;
    for (let seen = -1; seen !== this.#rings && this.#clock.monotonic() < endsAt && !signal.aborted; ) {
      seen = this.#rings;
      await pause(this.#clock, QUIET_MS, signal);
    }
  }
}

/** Sleeps; an abort ends it early and is no error. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
