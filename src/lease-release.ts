import { AbsentError, UsageError } from './errors.ts';
import { exitCodeOf, restoreCommand } from './lease-backups.ts';
import { placeOf } from './lease-place.ts';
import { type Execution, executeRemoval } from './lease-prune.ts';
import type { LeaseSession, SessionFlags } from './lease-session.ts';
import { type LeaseView, readView } from './lease-view.ts';
import { withSubnet } from './leases/find.ts';
import type { JudgedLease } from './leases/judged.ts';
import { reason } from './leases/prune-reasons.ts';
import { publisherTest } from './leases/self.ts';
import type { LeasePlace, RemovalReport } from './render/lease-document.ts';
import { leaseName } from './render/lease-table.ts';

export interface Release {
  readonly lease: JudgedLease;
  readonly place: LeasePlace;
}

/** The lease of this host on a subnet. @throws {AbsentError} when nobody has it; {UsageError} when another host does, or may. */
export async function chooseRelease(session: LeaseSession, subnet: string): Promise<Release> {
  const view = await readView(session, { ttl: true, kubeconfigEnv: undefined });
  const { listing, leases, scene } = view;
  const keys = new Set(withSubnet(listing.records, subnet).map(({ key }) => key));
  const found = leases.filter(({ record }) => keys.has(record.key));
  const own = found.find(({ states }) => states.includes('this-host'));
  if (own !== undefined) {
    refuseTwin(view, own);
    return { lease: own, place: placeOf(session, listing) };
  }
  if (found.length === 0) throw new AbsentError(`no lease has the subnet ${subnet}`);
  const why = scene.selfProblem === null ? '' : ` (not known: ${scene.selfProblem})`;
  throw new UsageError(`the lease on ${subnet} is not one of this host${why}`, {
    hint: `Where its owner is gone: flannelctl leases prune --subnet ${subnet}`,
  });
}

/**
 * A lease on the subnet in use here that names another host: the other one of two that were cloned or that took one subnet, and lives; or
 * this host, before its address changed. From here nobody can tell, because what is sent into that subnet stays here.
 */
function refuseTwin({ scene }: LeaseView, { record }: JudgedLease): void {
  if (publisherTest(scene.self)(record)) return;
  const owner = record.kind === 'lease' ? (record.attributes.publicIp ?? record.attributes.publicIpv6) : null;
  const named = owner ?? 'nobody that can be read';
  const subnet = leaseName(record);
  throw new UsageError(`${subnet} is in use here, but its lease names ${named}: it may be in use there, too`, {
    hint: `Ask whether it is, on another node: flannelctl leases prune --subnet ${subnet}. A subnet of its own for this host: flannelctl up --on-conflict reallocate`,
  });
}

export async function released(
  session: LeaseSession,
  { lease, place }: Release,
  options: Execution & { readonly flags: SessionFlags },
): Promise<RemovalReport> {
  const outcome = await executeRemoval(session, [{ ...lease, reasons: [GIVEN_BACK] }], options);
  const isDone = outcome.backup !== null && outcome.deleted.length + outcome.failed.length > 0;
  return {
    ...{ kind: 'ReleaseResult', place, outcome },
    restoreCommand: isDone ? restoreCommand(outcome.backup ?? '', options.flags) : null,
    exitCode: exitCodeOf(outcome, session.signal),
  };
}

const GIVEN_BACK = reason('released', 'given back by this host', '由本机交还');
