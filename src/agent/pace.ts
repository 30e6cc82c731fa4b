import type { Clock } from '../host/clock.ts';
import { pause } from './waker.ts';

/** Work that may be done without a rest. */
const MOST_MS = 6000;

/** Of the time that passes, after that. */
const SHARE = 1 / 8;

/** What is changed meanwhile is put right a little later, and still within a second. */
const LONGEST_REST_MS = 700;

/**
 * Keeps a loop that somebody rings without end from taking a CPU for itself: work is paid from a credit that time fills again. Whoever is
 * rung now and then never waits.
 */
export class Pace {
  readonly #clock: Clock;
  #credit = MOST_MS;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  /** Does the work and takes its time off the credit. */
  async spend<T>(work: () => Promise<T>): Promise<T> {
    const startedAt = this.#clock.monotonic();
    try {
      return await work();
    } finally {
      const left = this.#fill() - (this.#clock.monotonic() - startedAt);
      this.#credit = Math.max(left, -LONGEST_REST_MS * SHARE);
    }
  }

  /** Sleeps while there is no credit; `signal` ends it early. */
  async rest(signal: AbortSignal): Promise<void> {
    const missing = -this.#fill();
    if (missing > 0) await pause(this.#clock, missing / SHARE, signal);
  }

  #fill(): number {
    const now = this.#clock.monotonic();
    this.#credit = Math.min(MOST_MS, this.#credit + (now - this.#at) * SHARE);
    this.#at = now;
    return this.#credit;
  }
}
