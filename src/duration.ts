import { UsageError } from './errors.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `500ms`, `5s`, `2m`, `1h`. @throws {UsageError} for anything else, and for zero. */
export function parseDuration(text: string, flag: string): number {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  const durationMs = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN);
  if (!(durationMs > 0)) {
    throw new UsageError(`${flag} takes a duration such as 500ms, 5s, 2m or 1h, not ${JSON.stringify(text)}`);
  }
  return durationMs;
}
