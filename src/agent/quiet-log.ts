import type { Clock } from '../host/clock.ts';
import type { Log, LogFields } from './log.ts';

/** Of one kind of line at once. */
const AT_ONCE = 5;

/** Between two more of a kind. */
const EVERY_MS = 60_000;

/** Kinds that are remembered; a text that differs each time must not fill the memory. */
const MOST_KINDS = 200;

interface Kind {
  /** Lines that may still be written, and a part of one. */
  credit: number;
  at: number;
  leftOut: number;
}

/**
 * The same log, in which nobody who fights with us over an entry can fill the disk: of the lines of one kind (text, names of the
 * fields, and the record that it is about) some come at once and then one a minute, which says how many were left out.
 */
export function quietLog(log: Log, clock: Clock): Log {
  const kinds = new Map<string, Kind>();
  const limited =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}) => {
      const name = [level, message, ...Object.keys(fields), fields['key']].join(' ');
      const kind = kindOf(kinds, name, clock.monotonic());
      if (kind.credit < 1) {
        kind.leftOut += 1;
        return;
      }
      log[level](message, kind.leftOut === 0 ? fields : { ...fields, leftOut: kind.leftOut });
      kind.credit -= 1;
      kind.leftOut = 0;
    };
  return { debug: log.debug, info: limited('info'), warn: limited('warn'), error: limited('error') };
}

function kindOf(kinds: Map<string, Kind>, name: string, now: number): Kind {
  const known = kinds.get(name);
  const kind = known ?? { credit: AT_ONCE, at: now, leftOut: 0 };
  kind.credit = Math.min(AT_ONCE, kind.credit + (now - kind.at) / EVERY_MS);
  kind.at = now;
  if (known === undefined && kinds.size >= MOST_KINDS) kinds.clear();
  kinds.set(name, kind);
  return kind;
}
