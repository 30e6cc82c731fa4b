import { randomUUID } from 'node:crypto';
import { type EpisodeEnd, runEpisode } from './episode.ts';
import { type Mutant, REAL } from './mutants.ts';
import type { Stage } from './stage.ts';
import type { Counts } from './world.ts';

/** Operations of one world: short enough that a seed can be read to its end. */
export const EPISODE_STEPS = 500;
/** Worlds that fill each other's round trips. */
const SIDE_BY_SIDE = 12;

export interface RunOptions {
  readonly stage: Stage;
  /** The first episode has this one, the next ones those that follow. */
  readonly seed: number;
  readonly steps: number;
  readonly mutant?: Mutant;
  readonly onEpisode?: (steps: number) => void;
}

/** @throws an error that names the seed, and has what was found as its cause. */
export async function runModel({ stage, seed, steps, mutant = REAL, onEpisode }: RunOptions): Promise<Counts> {
  const total: Counts = new Map();
  const episodes = Math.ceil(steps / EPISODE_STEPS);
  let next = 0;
  const work = async () => {
    while (next < episodes) {
      const index = next;
      next += 1;
      const length = Math.min(EPISODE_STEPS, steps - index * EPISODE_STEPS);
      const { counts } = await runSeed({ stage, mutant, seed: seed + index, steps: length });
      for (const [what, times] of counts) total.set(what, (total.get(what) ?? 0) + times);
      onEpisode?.(length);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: SIDE_BY_SIDE }, () => work().finally(stop)));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return total;

  /** Nobody begins another episode after one has failed. */
  function stop() {
    next = episodes;
  }
}

export interface SeedOptions {
  readonly stage: Stage;
  readonly seed: number;
  readonly steps: number;
  readonly mutant?: Mutant;
}

/** One world, which the seed tells in full. @throws as {@link runModel}. */
export async function runSeed({ stage, seed, steps, mutant = REAL }: SeedOptions): Promise<EpisodeEnd> {
  try {
    return await runEpisode({ ...stage, seed, steps, mutant, name: randomUUID() });
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${what}\nAgain: npm run model -- --seed ${seed} --steps ${steps}`, { cause });
  }
}
