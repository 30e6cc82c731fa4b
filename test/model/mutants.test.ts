import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { runModel } from './run.ts';
import { openStage, type Stage } from './stage.ts';

/** Enough to find each of them; most are found within the first five hundred. */
const STEPS = 30_000;
const SEED = 1;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

describe('the model', () => {
  it.each(Object.entries(MUTANTS))('finds %s', { timeout: 180_000 }, async (_, { violation, ...mutant }) => {
    await expect(runModel({ stage, seed: SEED, steps: STEPS, mutant })).rejects.toThrow(violation);
  });
});
