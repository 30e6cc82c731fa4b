import { UsageError } from '../errors.ts';
import type { Fault } from './fault.ts';

export type FaultSet = readonly [Fault, ...Fault[]];

/** Faults of different checks, neither of which the other announces as its consequence: both must be found as roots. */
export function areIndependent(a: Fault, b: Fault): boolean {
  const isCombinable = a.pairable !== false && b.pairable !== false;
  return isCombinable && a.check !== b.check && !a.also.includes(b.check) && !b.also.includes(a.check);
}

/** One row each: the faults by themselves, or pairs of them. @throws {UsageError} when no two of them are independent. */
export function chooseSets(
  faults: readonly Fault[],
  { pairs, seed }: { readonly pairs: number | undefined; readonly seed: number },
): readonly FaultSet[] {
  if (pairs === undefined) return faults.map((fault): FaultSet => [fault]);
  const chosen = choosePairs(faults, pairs, seed);
  if (chosen.length > 0) return chosen;
  throw new UsageError('no two of these faults are independent of each other', {
    hint: 'Name faults of different checks, neither of which follows from the other.',
  });
}

/** `count` unordered pairs of independent faults, chosen by the seed; all of them when there are no more. */
export function choosePairs(faults: readonly Fault[], count: number, seed: number): readonly FaultSet[] {
  const pairs = faults.flatMap((a, at) =>
    faults.slice(at + 1).flatMap((b): FaultSet[] => (areIndependent(a, b) ? [[a, b]] : [])),
  );
  const random = randomNumbers(seed);
  return pairs
    .map((pair) => ({ pair, order: random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ pair }) => pair);
}

/** mulberry32: the same numbers for the same seed on every machine. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
