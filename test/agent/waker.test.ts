import { describe, expect, it } from 'vitest';
import { Waker } from '../../src/agent/waker.ts';
import { systemClock } from '../../src/host/system-clock.ts';

const never = new AbortController().signal;

describe('the waker', () => {
  it('makes one look of a burst of 5,000 events', async () => {
    const waker = new Waker(systemClock);
    const looking = waker.next(1000, never);
    for (let event = 0; event < 5000; event += 1) waker.ring('leases');
    expect(await looking).toEqual(new Map([['leases', 5000]]));
    expect(await waker.next(30, never)).toEqual(new Map());
  });

  it('does not wait for a burst that never ends', async () => {
    const waker = new Waker(systemClock);
    const ringing = setInterval(() => waker.ring('kernel'), 5);
    const startedAt = performance.now();
    await waker.next(1000, never);
    clearInterval(ringing);
    expect(performance.now() - startedAt).toBeLessThan(600);
  });

  it('keeps what rang while nobody was waiting', async () => {
    const waker = new Waker(systemClock);
    waker.ring('kernel');
    expect((await waker.next(1000, never)).has('kernel')).toBe(true);
  });

  it('ends at once when it is told to stop', async () => {
    const stop = new AbortController();
    const looking = new Waker(systemClock).next(60_000, stop.signal);
    stop.abort();
    expect(await looking).toEqual(new Map());
  });
});
