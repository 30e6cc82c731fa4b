import { spawnSync } from 'node:child_process';

export interface Candidate {
  readonly name: string;
  readonly argv: readonly [program: string, ...args: string[]];
}

export interface Measured {
  readonly name: string;
  readonly medianMs: number;
  /** Against the first candidate. */
  readonly ratio: number;
}

/**
 * Runs the candidates in turns, so that whatever else the machine does meets all of them, and compares medians.
 * The first one is what the others are measured against. @throws when a run fails.
 */
export function measureProcesses(candidates: readonly [Candidate, ...Candidate[]], runs: number): readonly Measured[] {
  return measureTurns(
    candidates.map(({ name, argv }) => ({ name, once: () => runOnce(argv) })),
    runs,
  );
}

/** As {@link measureProcesses}, for functions of this process. */
export function measureTurns(
  candidates: readonly { readonly name: string; readonly once: () => void }[],
  runs: number,
): readonly Measured[] {
  const times = candidates.map((): number[] => []);
  for (const { once } of candidates) once();
  for (let turn = 0; turn < runs; turn++) {
    candidates.forEach(({ once }, at) => {
      const startedAt = performance.now();
      once();
      times[at]?.push(performance.now() - startedAt);
    });
  }
  const medians = times.map(median);
  const base = medians[0] ?? Number.NaN;
  return candidates.map(({ name }, at) => {
    const medianMs = medians[at] ?? Number.NaN;
    return { name, medianMs, ratio: medianMs / base };
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [below = Number.NaN, above = Number.NaN] = [
    sorted[sorted.length % 2 === 0 ? middle - 1 : middle],
    sorted[middle],
  ];
  return (below + above) / 2;
}

/** One line a candidate: `flannelctl version    29.1 ms   1.02x   (aim 1.20x)`. */
export function printMeasured(measured: readonly Measured[], aims: Readonly<Record<string, number>> = {}): void {
  const width = Math.max(...measured.map(({ name }) => name.length));
  for (const { name, medianMs, ratio } of measured) {
    const aim = aims[name] === undefined ? '' : `   (aim ${aims[name].toFixed(2)}x)`;
    process.stdout.write(
      `${name.padEnd(width)} ${medianMs.toFixed(1).padStart(9)} ms ${ratio.toFixed(2).padStart(7)}x${aim}\n`,
    );
  }
}

function runOnce([program, ...args]: Candidate['argv']): void {
  const { status, error } = spawnSync(program, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`, { cause: error });
}
