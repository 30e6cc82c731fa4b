import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runModel, runSeed } from './run.ts';
import { openStage, type Stage } from './stage.ts';

const STEPS = 100_000;
const MINUTES = 60_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

describe('the leases of a cluster', () => {
  it(`keep their owners through ${STEPS} steps of owners, prune and restore`, { timeout: 20 * MINUTES }, async () => {
    const seed = randomInt(2 ** 31);
    process.stdout.write(`model: ${STEPS} steps from seed ${seed}\n`);
    const counts = await runModel({ stage, seed, steps: STEPS });
    expect([...counts.keys()]).toEqual(expect.arrayContaining(MUST_HAPPEN));
  });

  it('tell the same story for the same seed', { timeout: 2 * MINUTES }, async () => {
    const [first, second] = [
      await runSeed({ stage, seed: 12, steps: 500 }),
      await runSeed({ stage, seed: 12, steps: 500 }),
    ];
    expect(second).toEqual(first);
  });
});

/** A run without these would prove nothing. */
const MUST_HAPPEN = [
  'acquisitions',
  'renewals',
  'unconditional renewals',
  'conflicts of owners',
  'owners that were answers',
  'owners that were silent',
  'owners that were unknown',
  'plans that must not be carried out',
  'records deleted by prune',
  'kept because they changed',
  'records restored by restore',
  'records refused by restore',
  'records present by restore',
  'records expired by restore',
];
