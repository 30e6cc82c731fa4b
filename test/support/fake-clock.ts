import type { Clock } from '../../src/host/clock.ts';

/** A clock that moves only when it is told to. */
export interface FakeClock extends Clock {
  /** Lets that much time pass; whoever sleeps wakes at its own moment, one after the other. */
  advance(ms: number): Promise<void>;
  /** Sets the clock of the day; no time passes. */
  setBack(ms: number): void;
  /** Time passes while nobody can run: a stopped process, a host that sleeps. Who should have woken meanwhile wakes at the end. */
  stall(ms: number): Promise<void>;
  /** What was slept, in the order in which it was asked for. */
  readonly naps: readonly number[];
}

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** 2026-11-20T12:00:00Z on the clock of the day, some other number on the monotonic one. */
export function fakeClock(): FakeClock {
  let [wall, monotonic] = [1_795_176_000_000, 5_000];
  const sleepers = new Set<Sleeper>();
  const naps: number[] = [];
  const pass = (ms: number) => {
    wall += ms;
    monotonic += ms;
  };
  const next = () => [...sleepers].sort((a, b) => a.at - b.at)[0];
  const wakeUntil = async (until: number) => {
    await settled();
    for (let sleeper = next(); sleeper !== undefined && sleeper.at <= until; sleeper = next()) {
      pass(Math.max(0, sleeper.at - monotonic));
      sleepers.delete(sleeper);
      sleeper.wake();
      await settled();
    }
  };
  return {
    naps,
    now: () => wall,
    monotonic: () => monotonic,
    sleep: (ms, signal) => {
      naps.push(ms);
      return new Promise((resolve, reject) => {
        const sleeper = { at: monotonic + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => sleepers.delete(sleeper) && reject(signal.reason), { once: true });
      });
    },
    advance: async (ms) => {
      const until = monotonic + ms;
      await wakeUntil(until);
      pass(until - monotonic);
    },
    setBack: (ms) => {
      wall -= ms;
    },
    stall: async (ms) => {
      await settled();
      pass(ms);
      await wakeUntil(monotonic);
    },
  };
}

/** Until nobody has anything left to do but sleep: what runs against fakes needs no more than a few turns. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
