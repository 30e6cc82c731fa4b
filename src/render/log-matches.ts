import type { LogMatch } from '../doctor/log-match.ts';
import { printable } from './printable.ts';

/** Per failure mode: how many lines speak of it, the last of them, and where to read on. */
export function renderLogMatches(matches: readonly LogMatch[]): string {
  if (matches.length === 0) return 'No line speaks of a failure mode that flannelctl knows.';
  return [...Map.groupBy(matches, ({ id }) => id)]
    .map(([id, lines]) => {
      const last = lines.at(-1);
      const where = last === undefined ? '' : `\n  line ${last.line}: ${printable(last.text)}`;
      return `${id}   ${lines.length} ${lines.length === 1 ? 'line' : 'lines'}${where}\n  flannelctl explain ${id}`;
    })
    .join('\n\n');
}
