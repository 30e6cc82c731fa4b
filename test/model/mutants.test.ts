import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Violation } from './invariants.ts';
import { MUTANTS, type Mutant } from './mutants.ts';
import { EPISODE_STEPS, runSeed } from './run.ts';
import { openStage, type Stage } from './stage.ts';

/** Worlds that are tried: most mutants are found in the first few. */
const MOST_WORLDS = 40;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

describe('the model', () => {
  it.each(Object.entries(MUTANTS))('finds %s', { timeout: 240_000 }, async (_, { violation, ...mutant }) => {
    expect(await worldsUntil(violation, mutant)).toBeLessThanOrEqual(MOST_WORLDS);
  });
});

/** One world after the other, so that it is the same number every time. A rail that is gone may break other rules besides its own. */
async function worldsUntil(violation: RegExp, mutant: Mutant): Promise<number> {
  for (let seed = 1; seed <= MOST_WORLDS; seed += 1) {
    const [end] = await Promise.allSettled([runSeed({ stage, seed, steps: EPISODE_STEPS, mutant })]);
    if (end.status === 'fulfilled') continue;
    if (!(end.reason instanceof Error && end.reason.cause instanceof Violation)) throw end.reason;
    if (violation.test(end.reason.message)) return seed;
  }
  return Number.POSITIVE_INFINITY;
}
