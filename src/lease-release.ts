import { AbsentError, UsageError } from './errors.ts';
import { exitCodeOf, restoreCommand } from './lease-backups.ts';
import { placeOf } from './lease-place.ts';
import { type Execution, executeRemoval } from './lease-prune.ts';
import type { LeaseSession, SessionFlags } from './lease-session.ts';
import { readView } from './lease-view.ts';
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
  const { listing, leases, scene } = await readView(session, { ttl: true, kubeconfigEnv: undefined });
  const keys = new Set(withSubnet(listing.records, subnet).map(({ key }) => key));
  const found = leases.filter(({ record }) => keys.has(record.key));
  const isPublished = publisherTest(scene.self);
  const own = found.find(({ record }) => isPublished(record));
  if (own !== undefined) return { lease: own, place: placeOf(session, listing) };
  const used = found.find(({ states }) => states.includes('this-host'));
  if (used !== undefined) throw namesAnother(used);
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
function namesAnother({ record }: JudgedLease): UsageError {
  const owner = record.kind === 'lease' ? (record.attributes.publicIp ?? record.attributes.publicIpv6) : null;
  const named = owner ?? 'nobody that can be read';
  const subnet = leaseName(record);
  return new UsageError(`${subnet} is in use here, but its lease names ${named}: it may be in use there, too`, {
    hint: `On another node, where it can be told whether that is gone: flannelctl leases prune --subnet ${subnet}. Or a subnet of its own for this host: flannelctl up --on-conflict reallocate`,
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
