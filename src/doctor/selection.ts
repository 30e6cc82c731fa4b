import { UsageError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { type AnyCheck, GROUPS } from './check.ts';

/** What a check is chosen by. */
export type Named = Pick<AnyCheck, 'id' | 'group'>;

export interface CheckSelection {
  /** What was asked for. */
  readonly selected: readonly AnyCheck[];
  /** `selected` and every check that may be the cause of one of them: without these a consequence would pass for a root. */
  readonly needed: readonly AnyCheck[];
}

/**
 * Checks by id or group; no names: all of them.
 * @throws {UsageError} for a name that is neither, with the nearest one; when no check is left: nothing looked at is not healthy.
 */
export function selectChecks(
  checks: readonly AnyCheck[],
  names: readonly string[],
  skipped: readonly string[],
): CheckSelection {
  const wanted = names.length === 0 ? new Set(checks) : resolve(checks, names);
  const unwanted = resolve(checks, skipped);
  const selected = checks.filter((check) => wanted.has(check) && !unwanted.has(check));
  if (selected.length === 0) throw nothingLeft(names);
  const causes = causesOf(checks, selected);
  return { selected, needed: checks.filter((check) => causes.has(check) && !unwanted.has(check)) };
}

function nothingLeft(names: readonly string[]): UsageError {
  const what = names.length === 0 ? 'of all checks' : `of ${names.join(', ')}`;
  return new UsageError(`no check is left ${what}`, { hint: 'List them with: flannelctl checks' });
}

/** @throws {UsageError} for a name that is neither a check's id nor a group. */
export function resolve<C extends Named>(checks: readonly C[], names: readonly string[]): ReadonlySet<C> {
  return new Set(names.flatMap((name) => resolveName(checks, name)));
}

/** As {@link resolve}, the ids. */
export function resolveIds(checks: readonly AnyCheck[], names: readonly string[]): ReadonlySet<string> {
  return new Set([...resolve(checks, names)].map(({ id }) => id));
}

function resolveName<C extends Named>(checks: readonly C[], name: string): readonly C[] {
  const found = checks.filter(({ id, group }) => id === name || group === name);
  if (found.length > 0 || GROUPS.some((group) => group === name)) return found;
  const guess = nearest(name, [...checks.map(({ id }) => id), ...GROUPS]);
  throw new UsageError(
    `there is no check or group ${JSON.stringify(name)}${guess === undefined ? '' : `, did you mean ${guess}?`}`,
    {
      hint: 'List them with: flannelctl checks',
    },
  );
}

function causesOf(checks: readonly AnyCheck[], selected: readonly AnyCheck[]): ReadonlySet<AnyCheck> {
  const byId = new Map(checks.map((check) => [check.id, check]));
  const found = new Set(selected);
  for (const check of found) {
    for (const { id } of check.causedBy ?? []) {
      const cause = byId.get(id);
      if (cause !== undefined) found.add(cause);
    }
  }
  return found;
}
