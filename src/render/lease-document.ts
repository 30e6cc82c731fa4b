import type { JudgedLease } from '../leases/judged.ts';
import type { PlannedLease, PrunePlan } from '../leases/prune-plan.ts';
import type { RemoveOutcome } from '../leases/remove.ts';
import type { Restored } from '../leases/restore.ts';
import type { LeaseRecord } from '../store/store.ts';

type Language = 'en' | 'zh';

export const API = { apiVersion: 'flannelctl.dev/v1' } as const;

/** Where leases were read. */
export interface LeasePlace {
  readonly source: string;
  readonly clusterId: string | null;
  readonly prefix: string | null;
  readonly revision: string;
}

/** One item of the document `LeaseList`. `ttlSeconds` is left out where it was not asked for. */
export function leaseItem(lease: JudgedLease, language: Language) {
  const { record, states, ttlSeconds, node, notReadySince, silence } = lease;
  return {
    ...recordItem(record),
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    etcdLease: record.etcdLease,
    modRevision: record.modRevision,
    node,
    ...(notReadySince === undefined ? {} : { nodeNotReadySince: timeText(notReadySince) }),
    states,
    ...(silence === undefined ? {} : { owner: { verdict: silence.verdict, detail: silence.because[language] } }),
    ...(record.kind === 'lease' ? {} : { problem: record.reason, value: record.value }),
  };
}

function timeText(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** What a record says of itself; `null` where it says nothing that parses. */
function recordItem(record: LeaseRecord) {
  const attributes = record.kind === 'lease' ? record.attributes : undefined;
  const v6Data = attributes?.backendV6Data ?? null;
  return {
    key: record.key,
    subnet: record.kind === 'malformed-key' ? null : record.subnet,
    ipv6Subnet: record.kind === 'malformed-key' ? null : record.ipv6Subnet,
    publicIP: attributes?.publicIp ?? null,
    publicIPv6: attributes?.publicIpv6 ?? null,
    backendType: attributes?.backendType ?? null,
    backendData: attributes?.backendData ?? null,
    ...(v6Data === null ? {} : { backendV6Data: v6Data }),
  };
}

/** The document `LeaseList` but for its items. */
export function leaseListHead(place: LeasePlace) {
  return { ...API, kind: 'LeaseList', ...place };
}

/** The document `Lease`; `LeaseList` where a word names several. */
export function leaseShowDocument(leases: readonly JudgedLease[], place: LeasePlace, language: Language) {
  const [first, ...more] = leases.map((lease) => leaseItem(lease, language));
  if (first !== undefined && more.length === 0) return { ...API, kind: 'Lease', ...first, ...place };
  return { ...leaseListHead(place), items: first === undefined ? [] : [first, ...more] };
}

export function prunePlanDocument(plan: PrunePlan, place: LeasePlace, language: Language) {
  return {
    ...{ ...API, kind: 'PrunePlan', ...place },
    total: plan.total,
    max: plan.max,
    exceedsMax: plan.deletions.length > plan.max,
    items: plan.deletions.map((lease) => plannedItem(lease, language)),
    kept: plan.kept.map((lease) => plannedItem(lease, language)),
  };
}

function plannedItem(lease: PlannedLease, language: Language) {
  const reasons = lease.reasons.map((reason) => ({ code: reason.code, text: reason[language] }));
  return { ...leaseItem(lease, language), action: lease.action, reasons };
}

export interface RemovalReport {
  readonly kind: 'PruneResult' | 'ReleaseResult';
  readonly place: LeasePlace;
  readonly outcome: RemoveOutcome;
  /** The command that puts them back; `null`: nothing was deleted. */
  readonly restoreCommand: string | null;
  readonly exitCode: number;
}

export function removalDocument({ kind, place, outcome, restoreCommand, exitCode }: RemovalReport) {
  const { backup, deleted, changed, failed, untried } = outcome;
  return {
    ...{ ...API, kind, ...place },
    complete: failed.length === 0 && untried.length === 0,
    exitCode,
    backup,
    restoreCommand,
    deleted: deleted.map(({ record }) => removedItem(record)),
    changed: changed.map(({ removal, message }) => ({ ...removedItem(removal.record), message })),
    failed: failed.map(({ removal, error }) => ({ ...removedItem(removal.record), message: error.message })),
    untried: untried.map(({ record }) => removedItem(record)),
  };
}

function removedItem(record: LeaseRecord) {
  const { key, subnet, ipv6Subnet, publicIP, publicIPv6 } = recordItem(record);
  return { key, subnet, ipv6Subnet, publicIP, publicIPv6, modRevision: record.modRevision };
}

export interface RestoreReport {
  readonly file: string;
  readonly dryRun: boolean;
  readonly place: Pick<LeasePlace, 'source' | 'clusterId' | 'prefix'>;
  readonly restored: readonly Restored[];
  readonly exitCode: number;
}

export function restoreDocument({ file, dryRun, place, restored, exitCode }: RestoreReport) {
  return {
    ...{ ...API, kind: 'RestoreResult', ...place, file, dryRun, exitCode },
    complete: restored.every(({ result }) => result !== 'failed' && result !== 'untried'),
    items: restored.map(({ record, result, ttlSeconds, message }) => ({
      ...removedItem(record),
      ttlSeconds,
      result,
      message,
    })),
  };
}
