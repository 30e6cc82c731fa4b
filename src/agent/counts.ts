import type { OverlayPlan } from '../dataplane/entry.ts';
import { entryKey } from '../dataplane/key.ts';
import type { Board } from './board.ts';

/** What was wanted before and is programmed anew had been changed by somebody; the rest follows the leases. */
export function countOperations({ parts: { measures, log }, lastRound }: Board, { operations }: OverlayPlan): void {
  const before = new Map(lastRound?.desired.entries.map(({ entry }) => [entryKey(entry), JSON.stringify(entry)]) ?? []);
  const drift = new Map<string, number>();
  const programmed = new Map<string, number>();
  for (const { verb, entry } of operations) {
    if (verb === 'keep' || verb === 'foreign') continue;
    const isDrift = verb !== 'delete' && before.get(entryKey(entry)) === JSON.stringify(entry);
    const [counts, name] = isDrift ? [drift, entry.kind] : [programmed, verb];
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [kind, count] of drift) measures.drift(kind, count);
  for (const [verb, count] of programmed) measures.programmed(verb, count);
  if (drift.size > 0) log.warn('repairing drift', Object.fromEntries(drift));
}
