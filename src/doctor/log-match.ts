import type { AnyCheck } from './check.ts';

/** A line of a log that speaks of a failure mode. */
export interface LogMatch {
  /** 1-based. */
  readonly line: number;
  readonly text: string;
  readonly id: string;
}

/** Longer lines are cut before matching: no real log line is, and a pattern must not be fed megabytes. */
const LONGEST_LINE = 4096;

/** Which failure modes the lines of a log speak of, in the order of the lines; a line may speak of several. */
export function matchLog(checks: readonly AnyCheck[], log: string): readonly LogMatch[] {
  return log.split(/\r?\n/).flatMap((full, index) => {
    const text = full.slice(0, LONGEST_LINE);
    return checks
      .filter((check) =>
        (check.logs ?? []).some((pattern: RegExp) => new RegExp(pattern.source, pattern.flags).test(text)),
      )
      .map(({ id }) => ({ line: index + 1, text, id }));
  });
}
