import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runModel } from '../test/model/run.ts';
import { openStage } from '../test/model/stage.ts';
import type { Counts } from '../test/model/world.ts';

// npm run model: the model test of the leases, a million steps of it, or as it is told:
//   npm run model -- [--seed SEED] [--steps STEPS]
// What it finds it prints with the seed and the number of steps that show it again.

/** An etcd takes so many before it is replaced by an empty one: a history is never thrown away, and grows. */
const STEPS_OF_AN_ETCD = 100_000;
/** Seeds are given to worlds one after the other; another etcd begins far behind. */
const SEED_LIMIT = 2 ** 31;

const { values } = parseArgs({ options: { seed: { type: 'string' }, steps: { type: 'string', default: '1000000' } } });
const seed = numberOf('seed', values.seed ?? String(randomInt(SEED_LIMIT)));
const steps = numberOf('steps', values.steps);
const begin = performance.now();
process.stdout.write(`${steps} steps from seed ${seed}\n`);
let done = 0;
try {
  for (let round = 0; done < steps; round += 1) await runRound(round);
  process.stdout.write(`nothing found in ${steps} steps, ${secondsSince(begin)} s\n`);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function runRound(round: number): Promise<void> {
  const stage = await openStage();
  try {
    const counts = await runModel({
      stage,
      seed: seed + round * STEPS_OF_AN_ETCD,
      steps: Math.min(STEPS_OF_AN_ETCD, steps - done),
      onEpisode: (more) => {
        done += more;
      },
    });
    process.stdout.write(`${done} steps, ${secondsSince(begin)} s\n${listOf(counts)}`);
  } finally {
    await stage.close();
  }
}

function listOf(counts: Counts): string {
  const lines = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return lines.map(([what, times]) => `  ${String(times).padStart(8)} ${what}\n`).join('');
}

function numberOf(flag: string, text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  process.stderr.write(`--${flag} ${text} is no number\n`);
  return process.exit(64);
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(0);
}
