import type { DesiredOverlay } from '../dataplane/entry.ts';
import type { Board } from './board.ts';

/** Thousands of lines at once would push everything else out of the journal. */
const MOST_LINES = 50;

/** Says of each record that is not programmed why, once; again only when it was gone or in order in between. */
export function tellIgnored(board: Board, { ignored }: Pick<DesiredOverlay, 'ignored'>): void {
  const { log } = board.parts;
  const now = new Map(ignored.map(({ key, reason }) => [`${key} ${reason}`, { key: key.slice(0, 200), reason }]));
  const fresh = [...now].filter(([text]) => !board.toldIgnored.has(text)).map(([, one]) => one);
  board.toldIgnored = new Set(now.keys());
  for (const one of fresh.slice(0, MOST_LINES)) log.warn('a record is not programmed', one);
  if (fresh.length > MOST_LINES)
    log.warn('more records are not programmed: flannelctl leases list', { records: fresh.length - MOST_LINES });
}
