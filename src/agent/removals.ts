import type { Entry, Operation, OverlayPlan } from '../dataplane/entry.ts';
import { containsIp, parseCidr } from '../net/cidr.ts';

/** What is held against a list of leases that lets many peers go at once. */
export type Suspicion =
  | { readonly kind: 'none' }
  /** The list is read again at `rereadAt` (monotonic ms); until then nobody of these is let go. */
  | { readonly kind: 'waiting'; readonly rereadAt: number; readonly subnets: readonly string[] }
  /**
   * It was read again and says the same: `agreed` may go. Of those the ones that still answered over the overlay are kept, each until
   * its time (monotonic ms).
   */
  | { readonly kind: 'confirmed'; readonly agreed: ReadonlySet<string>; readonly kept: ReadonlyMap<string, number> };

export interface RemovalInput {
  /** With its deletions. */
  readonly plan: OverlayPlan;
  readonly suspicion: Suspicion;
  /** The subnets of each lease that an event deleted since the last plan; one lease has one of each family. */
  readonly deleted: readonly (readonly string[])[];
  /** The list is one of an earlier time than the one before it. */
  readonly isRewound: boolean;
  /** Monotonic ms. */
  readonly now: number;
}

export interface RemovalVerdict {
  /** Without the deletions that are held back. */
  readonly plan: OverlayPlan;
  readonly suspicion: Suspicion;
  /** Subnets whose entries stay for now although the list does not name them. */
  readonly heldBack: readonly string[];
}

/** Time after which a list that seems to have lost its peers is read again. */
export const REREAD_MS = 30_000;

/**
 * Decides which deletions of a plan may be carried out. A list that is suddenly empty, or lets go of more than half of the peers that
 * the kernel serves, is not believed at once, nor anything that a list of an earlier time lacks; the deletion of a single lease is.
 */
export function judgeRemovals({ plan, suspicion, deleted, isRewound, now }: RemovalInput): RemovalVerdict {
  const { present, dropped } = peersOf(plan);
  const kept = suspicion.kind === 'confirmed' ? keptUntil(suspicion.kept, dropped, now) : new Map<string, number>();
  const leaving = dropped.filter((subnet) => !kept.has(subnet));
  if (suspicion.kind === 'waiting') {
    if (dropped.length === 0) return pass(plan);
    return { plan: without(plan, dropped), suspicion: { ...suspicion, subnets: dropped }, heldBack: dropped };
  }
  const agreed = suspicion.kind === 'confirmed' ? suspicion.agreed : new Set<string>();
  const unexpected = leaving.filter((subnet) => !agreed.has(subnet));
  if (isDoubtful({ unexpected, deleted, present, isRewound })) {
    const waiting: Suspicion = { kind: 'waiting', rereadAt: now + REREAD_MS, subnets: dropped };
    return { plan: without(plan, dropped), suspicion: waiting, heldBack: dropped };
  }
  if (kept.size === 0) return pass(plan);
  const heldBack = [...kept.keys()];
  return { plan: without(plan, heldBack), suspicion: { kind: 'confirmed', agreed, kept }, heldBack };
}

/** After the list was read again: those that answer over the overlay are kept until their lease would have ended. */
export function confirmSuspicion(
  subnets: readonly string[],
  answering: readonly string[],
  untilOf: (subnet: string) => number,
): Extract<Suspicion, { kind: 'confirmed' }> {
  const kept = new Map(answering.map((subnet) => [subnet, untilOf(subnet)]));
  return { kind: 'confirmed', agreed: new Set(subnets), kept };
}

function pass(plan: OverlayPlan): RemovalVerdict {
  return { plan, suspicion: { kind: 'none' }, heldBack: [] };
}

interface Loss extends Pick<RemovalInput, 'deleted' | 'isRewound'> {
  /** Peers that would go although nobody agreed to it. */
  readonly unexpected: readonly string[];
  readonly present: ReadonlySet<string>;
}

/** Of many that were deleted at once some may be back already: the others are as doubtful for that. */
function isDoubtful({ unexpected, deleted, present, isRewound }: Loss): boolean {
  if (unexpected.length === 0) return false;
  if (isRewound) return true;
  const [first, second] = deleted;
  if (second === undefined && first !== undefined && unexpected.every((subnet) => first.includes(subnet))) return false;
  const lost = new Set([...unexpected, ...deleted.flat().filter((subnet) => present.has(subnet))]);
  return lost.size * 2 > present.size;
}

function keptUntil(kept: ReadonlyMap<string, number>, dropped: readonly string[], now: number): Map<string, number> {
  return new Map(
    dropped.flatMap((subnet) => {
      const until = kept.get(subnet);
      return until !== undefined && until > now ? [[subnet, until] as const] : [];
    }),
  );
}

/** Peers as the kernel has them: by the routes to their subnets. */
function peersOf({ operations }: OverlayPlan): {
  readonly present: ReadonlySet<string>;
  readonly dropped: readonly string[];
} {
  const present = new Set<string>();
  const stays = new Set<string>();
  for (const { verb, entry, before } of operations) {
    if (entry.kind !== 'route' || verb === 'foreign') continue;
    if (verb !== 'add' || before !== undefined) present.add(entry.dst);
    if (verb !== 'delete') stays.add(entry.dst);
  }
  return { present, dropped: [...present].filter((subnet) => !stays.has(subnet)) };
}

/** A forwarding entry has no subnet: it belongs to the neighbour with its MAC. */
function without({ operations }: OverlayPlan, subnets: readonly string[]): OverlayPlan {
  const networks = subnets.map(parseCidr).filter((cidr) => cidr !== undefined);
  const names = new Set(subnets);
  const isInside = (ip: string) => networks.some((network) => containsIp(network, ip));
  const deletions = operations.filter(({ verb }) => verb === 'delete').map(({ entry }) => entry);
  const macs = new Set(
    deletions.flatMap((entry) => (entry.kind === 'neighbour' && isInside(entry.ip) ? (entry.mac ?? []) : [])),
  );
  const isHeld = (entry: Entry): boolean => {
    if (entry.kind === 'route') return names.has(entry.dst);
    if (entry.kind === 'neighbour') return isInside(entry.ip);
    return entry.kind === 'fdb' && macs.has(entry.mac);
  };
  return { operations: operations.filter(({ verb, entry }: Operation) => verb !== 'delete' || !isHeld(entry)) };
}
