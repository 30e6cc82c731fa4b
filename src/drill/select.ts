import { UsageError } from '../errors.ts';
import type { Fault } from './fault.ts';

export interface Selection {
  readonly faults: readonly Fault[];
  /** Finds the name that was probably meant. */
  nearest(name: string, names: readonly string[]): string | undefined;
}

/**
 * The faults that the words name, in their own order and each once: a fault's name, or a check's id for all its faults. No word: all.
 * @throws {UsageError} for a word that names none.
 */
export function selectFaults({ faults, nearest }: Selection, words: readonly string[]): readonly Fault[] {
  if (words.length === 0) return faults;
  const chosen = new Set<Fault>();
  for (const word of words) {
    const matching = faults.filter(({ name, check }) => name === word || check === word);
    if (matching.length === 0) throw unknownFault(word, faults, nearest);
    for (const fault of matching) chosen.add(fault);
  }
  return faults.filter((fault) => chosen.has(fault));
}

/**
 * The fault of that name, else the only one of the check.
 * @throws {UsageError} also when the check has several faults and none bears its id.
 */
export function selectFault(selection: Selection, word: string): Fault {
  const named = selection.faults.find(({ name }) => name === word);
  if (named !== undefined) return named;
  const [fault, ...more] = selectFaults(selection, [word]);
  if (fault !== undefined && more.length === 0) return fault;
  const names = [fault, ...more].map((each) => each?.name).join(', ');
  throw new UsageError(`${word} has several faults: ${names}`, { hint: 'Name one of them.' });
}

function unknownFault(word: string, faults: readonly Fault[], nearest: Selection['nearest']): UsageError {
  const guess = nearest(word, [...new Set(faults.flatMap(({ name, check }) => [name, check]))]);
  return new UsageError(`there is no fault ${JSON.stringify(word)}`, {
    hint: guess === undefined ? 'List them: flannelctl drill list' : `Did you mean ${guess}?`,
  });
}
