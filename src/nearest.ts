import { closest, distance } from 'fastest-levenshtein';

/** The name that was probably meant, or `undefined` when none is near: at most a third of its letters differ. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const guess = closest(name, names);
  return distance(name, guess) <= Math.max(2, Math.floor(guess.length / 3)) ? guess : undefined;
}
