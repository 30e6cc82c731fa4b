import type { LeaseRecord } from '../store/store.ts';
import type { JudgedLease } from './judged.ts';
import {
  nodeExists,
  nodesUnknown,
  ofSilence,
  overdue,
  REASONS,
  type Reason,
  reasonsToLook,
  timeLeft,
} from './prune-reasons.ts';

export interface PruneInput {
  /** All leases there are; who may be gone has had its owner measured. */
  readonly leases: readonly JudgedLease[];
  readonly marginSeconds: number;
  /** Keys that `--subnet` names; `null`: it was not given. */
  readonly named: ReadonlySet<string> | null;
  /** `--force`: a named lease goes although its owner answers or nobody knows. */
  readonly isForced: boolean;
  /** `--max`; `null`: a fifth of the leases. */
  readonly max: number | null;
  /** Why Kubernetes, which was named, cannot be asked; `null`: it was asked, or nobody named one. */
  readonly nodesProblem: string | null;
}

export interface PlannedLease extends JudgedLease {
  /** `refuse`: it was named, and must not go. */
  readonly action: 'delete' | 'keep' | 'refuse';
  /** At least one. */
  readonly reasons: readonly Reason[];
}

export interface PrunePlan {
  readonly deletions: readonly PlannedLease[];
  /** Those with something to say about them; a lease in order is not among them. */
  readonly kept: readonly PlannedLease[];
  /** How many leases there are. */
  readonly total: number;
  /** At most so many are deleted. */
  readonly max: number;
}

/**
 * Who goes. By itself a lease qualifies only when its key is one that flannel refuses and nothing would end it, or when its renewal is
 * overdue, its owner was measured to be silent, and no Node has its address. Whatever else is wrong with it is shown and never suffices: a
 * flanneld keeps its subnet over a change of the configuration, and renews it.
 */
export function planPrune(input: PruneInput): PrunePlan {
  const { leases, named, max } = input;
  const chosen = leases.filter(({ record }) => named === null || named.has(record.key));
  const planned = chosen.map((lease) => ({ ...lease, ...decide(lease, input) }));
  return {
    deletions: planned.filter(({ action }) => action === 'delete'),
    kept: planned.filter(({ action, reasons }) => action !== 'delete' && reasons.length > 0),
    total: leases.length,
    max: max ?? Math.max(1, Math.floor(leases.length / 5)),
  };
}

/** Whose owner has to be measured before a plan can be made. */
export function needsMeasuring({ record, states }: JudgedLease, named: ReadonlySet<string> | null): boolean {
  if (record.kind !== 'lease' || states.includes('this-host')) return false;
  return named === null ? states.includes('overdue') : named.has(record.key);
}

type Decision = Pick<PlannedLease, 'action' | 'reasons'>;

function decide(lease: JudgedLease, input: PruneInput): Decision {
  const { record, states } = lease;
  if (record.kind === 'malformed-key') return decideMalformed(record);
  if (states.includes('this-host')) return decideOwn(lease, input);
  const decision = input.named === null ? decideByItself(lease, input) : decideNamed(lease, input);
  return { ...decision, reasons: [...decision.reasons, ...reasonsToLook(lease)] };
}

function decideMalformed({ etcdLease, expiresAt }: LeaseRecord): Decision {
  const isEnded = etcdLease !== null || expiresAt !== null;
  return isEnded
    ? { action: 'keep', reasons: [REASONS.malformedLeased] }
    : { action: 'delete', reasons: [REASONS.malformed] };
}

function decideOwn(lease: JudgedLease, { named }: PruneInput): Decision {
  if (named !== null) return { action: 'refuse', reasons: [REASONS.thisHost] };
  const reasons = reasonsToLook(lease);
  return { action: 'keep', reasons: reasons.length === 0 ? [] : [REASONS.thisHost, ...reasons] };
}

function decideByItself(lease: JudgedLease, { marginSeconds, nodesProblem }: PruneInput): Decision {
  const { states, ttlSeconds, silence } = lease;
  if (states.includes('reservation')) return { action: 'keep', reasons: [REASONS.reservation] };
  if (!states.includes('overdue')) return { action: 'keep', reasons: [] };
  const reasons = [overdue(ttlSeconds ?? 0, marginSeconds), ...ofSilence(lease)];
  const objection = nodeObjection(lease, nodesProblem);
  if (silence?.verdict !== 'silent') return { action: 'keep', reasons };
  return objection === undefined ? { action: 'delete', reasons } : { action: 'keep', reasons: [...reasons, objection] };
}

function decideNamed(lease: JudgedLease, { isForced, marginSeconds, nodesProblem }: PruneInput): Decision {
  const { states, silence } = lease;
  const reasons = [...reasonsOfTime(lease, marginSeconds), ...ofSilence(lease)];
  if (isForced) return { action: 'delete', reasons: [...reasons, REASONS.forced] };
  if (silence?.verdict === 'answers') return { action: 'refuse', reasons };
  if (states.includes('reservation')) return { action: 'delete', reasons };
  if (silence?.verdict !== 'silent') return { action: 'keep', reasons };
  const objection = nodeObjection(lease, nodesProblem);
  return objection === undefined ? { action: 'delete', reasons } : { action: 'keep', reasons: [...reasons, objection] };
}

function reasonsOfTime({ states, ttlSeconds }: JudgedLease, marginSeconds: number): readonly Reason[] {
  if (states.includes('reservation')) return [REASONS.namedReservation];
  const left = ttlSeconds ?? 0;
  return states.includes('overdue') ? [overdue(left, marginSeconds)] : [timeLeft(left)];
}

function nodeObjection({ node }: JudgedLease, problem: string | null): Reason | undefined {
  if (node !== null) return nodeExists(node);
  return problem === null ? undefined : nodesUnknown(problem);
}
