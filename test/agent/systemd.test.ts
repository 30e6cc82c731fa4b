import { afterEach, describe, expect, it } from 'vitest';
import { STALLED_MS } from '../../src/agent/health.ts';
import { feedWatchdog, tellSystemd } from '../../src/agent/systemd.ts';
import { UnavailableError } from '../../src/errors.ts';
import { fakeNode, goodRound } from './fake-node.ts';

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

/** A node under systemd; `fed` are ms since the start. */
function watched(watchdogMs: number | undefined) {
  const fed: number[] = [];
  const node = fakeNode({
    resident: {
      watchdogMs,
      notify: async (state) => {
        if (state === 'WATCHDOG=1') fed.push(node.clock.monotonic() - startedAt);
      },
    },
  });
  const startedAt = node.clock.monotonic();
  const round = () => {
    node.board.lastRound = goodRound(node.clock.monotonic());
  };
  return { ...node, fed, round, ended: feedWatchdog(node.board, stop.signal) };
}

describe('the watchdog of systemd', () => {
  it('is fed at once and then in half of its time', async () => {
    const { clock, fed } = watched(30_000);
    await clock.advance(45_000);
    expect(fed).toEqual([0, 15_000, 30_000, 45_000]);
  });

  it('is not asked for by every unit', async () => {
    const { clock, fed, ended } = watched(undefined);
    await ended;
    await clock.advance(60_000);
    expect(fed).toEqual([]);
  });

  it('is not fed while the loop does not come round', async () => {
    const { clock, fed, round } = watched(30_000);
    await clock.advance(1);
    round();
    await clock.advance(STALLED_MS);
    const before = fed.length;
    await clock.advance(60_000);
    expect(fed.length).toBe(before);
    round();
    await clock.advance(15_000);
    expect(fed.length).toBe(before + 1);
  });
});

describe('what systemd is told', () => {
  it('may not reach it, which ends nothing', async () => {
    const { board, log } = fakeNode({
      resident: {
        notify: async (state) => {
          throw new UnavailableError('unsupported', `systemd could not be told ${state}`);
        },
      },
    });
    await tellSystemd(board, 'READY=1');
    expect(log).toEqual(['warn systemd could not be told READY=1']);
  });
});
