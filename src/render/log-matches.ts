import type { LogMatch } from '../doctor/log-match.ts';
import { printable } from './printable.ts';
import type { Words } from './words.ts';

const SHOWN_CHARACTERS = 300;

/** Per failure mode: what it is, how many lines speak of it, the last of them, and where to read on. */
export function renderLogMatches(
  matches: readonly LogMatch[],
  leadOf: (id: string) => string | undefined,
  words: Words,
): string {
  if (matches.length === 0) return words.noLogMatch;
  return [...Map.groupBy(matches, ({ id }) => id)]
    .map(([id, lines]) => {
      const lead = leadOf(id);
      const last = lines.at(-1);
      return [
        `${id}   ${words.logLines(lines.length)}`,
        ...(lead === undefined ? [] : [`  ${lead}`]),
        ...(last === undefined ? [] : [`  ${words.logLine(last.line)} ${shortened(printable(last.text))}`]),
        `  ${words.more} flannelctl explain ${id}`,
      ].join('\n');
    })
    .join('\n\n');
}

function shortened(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
