import type { NetworkConfig } from '../store/config.ts';
import { parseJson } from '../store/go-json.ts';
import type { LeaseRecord } from '../store/store.ts';
import { incompatibilities } from './compatibility.ts';

/** One member that differs, named by its path: `Backend.Type`. */
export interface ConfigDifference {
  readonly path: string;
  /** JSON; `null`: it is not there. */
  readonly before: string | null;
  readonly after: string | null;
}

/** What a change of the stored document changes, member by member; order and blanks are nothing. A text that is no JSON is one member. */
export function configDifferences(before: string | null, after: string): readonly ConfigDifference[] {
  const [old, next] = [before === null ? new Map<string, string>() : membersOf(before), membersOf(after)];
  const paths = [...new Set([...old.keys(), ...next.keys()])];
  return paths
    .map((path) => ({ path, before: old.get(path) ?? null, after: next.get(path) ?? null }))
    .filter((one) => one.before !== one.after);
}

/**
 * Leases whose owners would have to give up their subnet at their next start, and need not today. One that the present configuration would
 * not give out either is no matter of this change.
 */
export function strandedBy(
  records: readonly LeaseRecord[],
  before: NetworkConfig | null,
  after: NetworkConfig,
): readonly LeaseRecord[] {
  return records.filter(
    (record) =>
      record.kind !== 'malformed-key' &&
      incompatibilities(record, after).length > 0 &&
      (before === null || incompatibilities(record, before).length === 0),
  );
}

function membersOf(text: string): ReadonlyMap<string, string> {
  const parsed = parseJson(text);
  if ('problem' in parsed) return new Map([['', text]]);
  return new Map(leavesOf(parsed.value, ''));
}

function leavesOf(value: unknown, path: string): readonly (readonly [string, string])[] {
  const isInner = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isInner || Object.keys(value).length === 0) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, path === '' ? name : `${path}.${name}`));
}
