import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Announcing, announceNode } from '../../src/agent/announce.ts';
import { Waker } from '../../src/agent/waker.ts';
import { UnavailableError } from '../../src/errors.ts';
import { systemClock } from '../../src/host/system-clock.ts';

const nothing = () => undefined;

let over: AbortController;
beforeEach(() => {
  over = new AbortController();
});
afterEach(() => over.abort());

/** An agent that is in order unless `problem` says otherwise; what is waited for longer than a second is waited for until the end. */
function announcing(answer: () => void, problem?: string) {
  const waits: number[] = [];
  let told = 0;
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal: AbortSignal) => {
      waits.push(ms);
      return systemClock.sleep(ms > 1000 ? 3_600_000 : 1, signal);
    },
  };
  const announce = async () => {
    told += 1;
    answer();
  };
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const measures = {
    datastoreError: nothing,
    round: nothing,
    drift: nothing,
    programmed: nothing,
    text: async () => '',
  };
  const problems: Announcing['problems'] = new Map(problem === undefined ? [] : [['start', problem]]);
  const board: Announcing = {
    acquired: new Waker(clock),
    problems,
    lastRound: undefined,
    own: { status: 'none' },
    parts: { clock, announce, log, measures },
  };
  void announceNode(board, over.signal);
  return { board, waits, times: () => told };
}

const aWhile = () => systemClock.sleep(100, over.signal);

it('tells the Node nothing while something is wrong', async () => {
  const { board, times } = announcing(nothing, 'not programmed yet');
  await aWhile();
  expect(times()).toBe(0);
  board.problems.clear();
  await aWhile();
  expect(times()).toBe(1);
});

it('tells it once, and again when the lease was acquired anew', async () => {
  const { board, times } = announcing(nothing);
  await aWhile();
  expect(times()).toBe(1);
  board.acquired.ring('the Node came back');
  await aWhile();
  expect(times()).toBe(2);
});

it('waits before it asks again for what was refused', async () => {
  const { waits, times } = announcing(() => {
    throw new UnavailableError('permission', 'forbidden');
  });
  await aWhile();
  expect([times(), waits.at(-1)]).toEqual([1, 30_000]);
});
