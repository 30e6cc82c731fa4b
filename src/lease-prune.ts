import { UnavailableError, UsageError } from './errors.ts';
import { type Asking, isAgreed } from './lease-asking.ts';
import { backupDirectory, exitCodeOf, restoreCommand } from './lease-backups.ts';
import { placeOf } from './lease-place.ts';
import { inTime, type LeaseSession, type SessionFlags } from './lease-session.ts';
import { type LeaseView, measureView, readView } from './lease-view.ts';
import { withSubnet } from './leases/find.ts';
import { needsMeasuring, type PlannedLease, type PrunePlan, planPrune } from './leases/prune-plan.ts';
import { type RemoveOutcome, removeLeases } from './leases/remove.ts';
import { leaseWords } from './render/lease-words.ts';

export interface PruneRequest {
  readonly subnets: readonly string[] | undefined;
  readonly max: number | undefined;
  readonly force: boolean;
  readonly backupDir: string | undefined;
  readonly kubeconfigEnv: string | undefined;
}

export interface PlannedPrune {
  readonly plan: PrunePlan;
  readonly view: LeaseView;
  /** Subnets that were named and that no lease has. */
  readonly absent: readonly string[];
}

/** Reads, measures, plans; writes nothing. @throws {UsageError} for what is no subnet. */
export async function planOf(session: LeaseSession, request: PruneRequest): Promise<PlannedPrune> {
  return inTime(
    session,
    (async () => {
      const view = await readView(session, { ttl: true, kubeconfigEnv: request.kubeconfigEnv });
      if (view.scene.selfProblem !== null) {
        throw new UnavailableError('unsupported', `which lease is this host's is not known: ${view.scene.selfProblem}`);
      }
      const { named, absent } = namedKeys(view, request.subnets);
      const isWanted = (lease: LeaseView['leases'][number]) => needsMeasuring(lease, named);
      const { leases } = await measureView(session, view, { isWanted, onlyProof: false });
      const { marginSeconds, nodesProblem } = view.scene;
      const { force: isForced, max = null } = request;
      const plan = planPrune({ leases, marginSeconds, named, isForced, max, nodesProblem });
      return { plan, view, absent };
    })(),
  );
}

/** @throws {UsageError} for a plan that must not be carried out: a lease that is in use was named, or more would go than may. */
export function assertAllowed({ deletions, kept, max }: PrunePlan): void {
  const refused = kept.find(({ action }) => action === 'refuse');
  if (refused !== undefined) {
    const isOwn = refused.states.includes('this-host');
    throw new UsageError(`${refused.record.key} is not deleted: ${refused.reasons.map(({ en }) => en).join('; ')}`, {
      hint: isOwn ? 'Give it back with: flannelctl leases release' : 'Pass --force to delete it all the same.',
    });
  }
  if (deletions.length <= max) return;
  throw new UsageError(`${deletions.length} leases would be deleted, and at most ${max} may be`, {
    hint: `Pass --max ${deletions.length} when that is meant.`,
  });
}

export interface Execution {
  readonly what: 'prune' | 'release';
  readonly backupDir: string | undefined;
  readonly say: (line: string) => void;
}

/** Backup, then one transaction a lease. @throws {OutputError} when no backup could be written: nothing was deleted. */
export async function executeRemoval(
  session: LeaseSession,
  leases: readonly Pick<PlannedLease, 'record' | 'ttlSeconds' | 'reasons'>[],
  { what, backupDir, say }: Execution,
): Promise<RemoveOutcome> {
  const { world, store, signal } = session;
  const directory = await backupDirectory(session, backupDir);
  const writer = await world.writer();
  const removals = leases.map(({ record, ttlSeconds, reasons }) => ({
    record,
    ttlSeconds: ttlSeconds ?? null,
    because: reasons.map(({ en }) => en).join('; '),
  }));
  const tools = { host: world.host, clock: world.clock, writer };
  return removeLeases(removals, { ...tools, store, directory, what, signal, say });
}

/** The same, and what is to be said of it. */
export async function pruned(
  session: LeaseSession,
  { plan, view }: PlannedPrune,
  options: Execution & { readonly flags: SessionFlags },
) {
  const outcome = await executeRemoval(session, plan.deletions, options);
  return {
    kind: 'PruneResult' as const,
    place: placeOf(session, view.listing),
    outcome,
    restoreCommand:
      outcome.backup === null || outcome.deleted.length + outcome.failed.length === 0
        ? null
        : restoreCommand(outcome.backup, options.flags),
    exitCode: exitCodeOf(outcome, session.signal),
  };
}

/** Asks with the number that would go. */
export function agreeToPrune(
  session: LeaseSession,
  asking: Asking,
  question: { readonly count: number; readonly language: 'en' | 'zh' },
): Promise<boolean> {
  return isAgreed(asking, leaseWords(question.language).ask(question.count), session);
}

function namedKeys(
  { listing }: LeaseView,
  subnets: readonly string[] | undefined,
): { readonly named: ReadonlySet<string> | null; readonly absent: readonly string[] } {
  if (subnets === undefined) return { named: null, absent: [] };
  const found = subnets.map((subnet) => ({ subnet, records: withSubnet(listing.records, subnet) }));
  return {
    named: new Set(found.flatMap(({ records }) => records.map(({ key }) => key))),
    absent: found.flatMap(({ subnet, records }) => (records.length === 0 ? [subnet] : [])),
  };
}
