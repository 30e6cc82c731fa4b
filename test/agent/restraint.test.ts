import { describe, expect, it } from 'vitest';
import type { LogFields } from '../../src/agent/log.ts';
import { Pace } from '../../src/agent/pace.ts';
import { quietLog } from '../../src/agent/quiet-log.ts';
import type { Clock } from '../../src/host/clock.ts';

/** Time passes only by sleeping, and by `work`. */
function handClock() {
  let ms = 0;
  const work = async (took: number) => {
    ms += took;
  };
  const clock: Clock = { now: () => ms, monotonic: () => ms, sleep: work };
  return { clock, work, ms: () => ms };
}

const never = new AbortController().signal;

describe('the pace of the loop', () => {
  it('is that of the events while they are few', async () => {
    const { clock, work, ms } = handClock();
    const pace = new Pace(clock);
    for (let event = 0; event < 20; event += 1) {
      await pace.spend(() => work(100));
      await pace.rest(never);
    }
    expect(ms()).toBe(2000);
  });

  it('leaves seven eighths of the time to others when events never end', async () => {
    const { clock, work, ms } = handClock();
    const pace = new Pace(clock);
    let worked = 0;
    while (ms() < 600_000) {
      await pace.spend(() => work(80));
      worked += 80;
      await pace.rest(never);
    }
    expect(worked / ms()).toBeGreaterThan(0.12);
    expect(worked / ms()).toBeLessThan(0.14);
  });

  it('rests for less than a second, however long the work took', async () => {
    const { clock, work, ms } = handClock();
    const pace = new Pace(clock);
    await pace.spend(() => work(60_000));
    await pace.rest(never);
    expect(ms()).toBe(60_700);
  });
});

describe('the log', () => {
  function quiet() {
    const { clock, work } = handClock();
    const lines: (readonly [string, LogFields | undefined])[] = [];
    const write = (message: string, fields?: LogFields) => void lines.push([message, fields]);
    return { log: quietLog({ debug: write, info: write, warn: write, error: write }, clock), pass: work, lines };
  }

  it('says the same five times and then once a minute, with how often it was left out', async () => {
    const { log, pass, lines } = quiet();
    for (let second = 0; second < 90; second += 1) {
      log.warn('repairing drift', { route: second });
      await pass(1000);
    }
    expect(lines.map(([, fields]) => fields)).toEqual([
      ...[0, 1, 2, 3, 4].map((route) => ({ route })),
      { route: 60, leftOut: 55 },
    ]);
  });

  it('says something new at once, and the same about something else', () => {
    const { log, lines } = quiet();
    for (let time = 0; time < 10; time += 1) log.warn('repairing drift', { route: 1 });
    log.warn('repairing drift', { link: 1 });
    log.error('no route to etcd');
    expect(lines.slice(-2)).toEqual([
      ['repairing drift', { link: 1 }],
      ['no route to etcd', {}],
    ]);
  });
});
