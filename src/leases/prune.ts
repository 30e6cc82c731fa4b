import { UsageError } from '../errors.ts';
import type { Silence } from '../probe/silence-verdict.ts';
import type { Lease } from '../store/store.ts';
import { withSubnet } from './find.ts';
import { type JudgedLease, type JudgedLeases, leasesOf, withSilence } from './judged.ts';
import { needsMeasuring, type PlannedLease, type PruneInput, type PrunePlan, planPrune } from './prune-plan.ts';
import { type Removal, type RemoveOptions, type RemoveOutcome, removeLeases } from './remove.ts';

export interface PruneChoice extends Pick<PruneInput, 'isForced' | 'max' | 'nodesProblem'> {
  /** `--subnet`; `undefined`: it was not given. */
  readonly subnets: readonly string[] | undefined;
}

/** Resolves to whether the owners are there, by key of the lease. */
export type MeasureOwners = (candidates: readonly Lease[]) => Promise<ReadonlyMap<string, Silence>>;

export interface MadePlan {
  readonly plan: PrunePlan;
  /** Subnets that were named and that no lease has. */
  readonly absent: readonly string[];
}

/** Measures the owners that a plan depends on, nobody where there is none, and plans. @throws {UsageError} for what is no subnet. */
export async function makePlan(
  judged: JudgedLeases,
  { subnets, ...choice }: PruneChoice,
  measure: MeasureOwners,
): Promise<MadePlan> {
  const { named, absent } = namedKeys(judged.leases, subnets);
  const candidates = leasesOf(judged.leases.filter((lease) => needsMeasuring(lease, named)));
  const silence = candidates.length === 0 ? new Map() : await measure(candidates);
  const { leases, scene } = withSilence(judged, silence);
  return { plan: planPrune({ ...choice, leases, named, marginSeconds: scene.marginSeconds }), absent };
}

/** @throws {UsageError} for a plan that must not be carried out: a lease that is in use was named, or more would go than may. */
export function assertAllowed({ deletions, kept, max }: PrunePlan): void {
  const refused = kept.find(({ action }) => action === 'refuse');
  if (refused !== undefined) {
    const isOwn = refused.states.includes('this-host');
    throw new UsageError(`${refused.record.key} is not deleted: ${refused.reasons.map(({ en }) => en).join('; ')}`, {
      ...(!isOwn && { hint: 'Pass --force to delete it all the same.' }),
    });
  }
  if (deletions.length <= max) return;
  throw new UsageError(`${deletions.length} leases would be deleted, and at most ${max} may be`, {
    hint: `Pass --max ${deletions.length} when that is meant.`,
  });
}

/** Backup, then one transaction a lease. @throws {OutputError} when no backup could be written: nothing was deleted. */
export function removePlanned(
  leases: readonly Pick<PlannedLease, 'record' | 'ttlSeconds' | 'reasons'>[],
  options: RemoveOptions,
): Promise<RemoveOutcome> {
  return removeLeases(leases.map(removalOf), options);
}

export function removalOf({
  record,
  ttlSeconds,
  reasons,
}: Pick<PlannedLease, 'record' | 'ttlSeconds' | 'reasons'>): Removal {
  return { record, ttlSeconds: ttlSeconds ?? null, because: reasons.map(({ en }) => en).join('; ') };
}

function namedKeys(
  leases: readonly JudgedLease[],
  subnets: readonly string[] | undefined,
): { readonly named: ReadonlySet<string> | null; readonly absent: readonly string[] } {
  if (subnets === undefined) return { named: null, absent: [] };
  const records = leases.map(({ record }) => record);
  const found = subnets.map((subnet) => ({ subnet, keys: withSubnet(records, subnet).map(({ key }) => key) }));
  return {
    named: new Set(found.flatMap(({ keys }) => keys)),
    absent: found.flatMap(({ subnet, keys }) => (keys.length === 0 ? [subnet] : [])),
  };
}
