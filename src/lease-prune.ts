import { UnavailableError } from './errors.ts';
import { type Asking, isAgreed } from './lease-asking.ts';
import { backupDirectory, exitCodeOf, restoreCommand } from './lease-backups.ts';
import { placeOf } from './lease-place.ts';
import { inTime, type LeaseSession, type SessionFlags } from './lease-session.ts';
import { type LeaseView, measureOwners, readView } from './lease-view.ts';
import { type MadePlan, makePlan, removePlanned } from './leases/prune.ts';
import type { PlannedLease } from './leases/prune-plan.ts';
import type { RemoveOutcome } from './leases/remove.ts';
import { leaseWords } from './render/lease-words.ts';

export interface PruneRequest {
  readonly subnets: readonly string[] | undefined;
  readonly max: number | undefined;
  readonly force: boolean;
  readonly backupDir: string | undefined;
  readonly kubeconfigEnv: string | undefined;
}

export interface PlannedPrune extends MadePlan {
  readonly view: LeaseView;
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
      const { force: isForced, max = null, subnets } = request;
      const choice = { subnets, isForced, max, nodesProblem: view.scene.nodesProblem };
      const made = await makePlan(view, choice, (candidates) =>
        measureOwners(session, view, { candidates, onlyProof: false }),
      );
      return { ...made, view };
    })(),
  );
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
  const tools = { host: world.host, clock: world.clock, writer };
  return removePlanned(leases, { ...tools, store, directory, what, signal, say });
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
