import { applyPlan } from '../dataplane/apply.ts';
import { renderOperation } from '../dataplane/batch.ts';
import { desiredOverlay } from '../dataplane/desired.ts';
import type { DesiredOverlay, Operation, OverlayPlan } from '../dataplane/entry.ts';
import { holdsTest } from '../dataplane/holds.ts';
import { observeOverlay } from '../dataplane/observe.ts';
import { planOverlay } from '../dataplane/plan.ts';
import { acceptNoRouters, type Preparation, prepareNode, refuseForeignLinks } from '../dataplane/program.ts';
import { directTest } from '../dataplane/routing.ts';
import { type Board, settle } from './board.ts';
import { keepConflist } from './conflist-file.ts';
import { countOperations } from './counts.ts';
import { ownDirectRoutes } from './direct-routes.ts';
import { foreignProblem } from './foreign.ts';
import { guardRemovals } from './guard.ts';
import type { OwnLease } from './lease-care.ts';
import { tellOtherOwner } from './other-owner.ts';
import { keepSubnetFile } from './subnet-file.ts';
import { tellIgnored } from './tell-ignored.ts';
import { wantedAttributes } from './wanted.ts';

/**
 * Observe, plan, apply. Looks at everything, whatever it was woken for, and ends with the kernel read back.
 *
 * @throws {FlannelctlError} when something could not be read or did not take effect; {@link OwnerError} when a flanneld runs here.
 */
export async function reconcile(board: Board): Promise<void> {
  const { clock, measures } = board.parts;
  const startedAt = clock.monotonic();
  // begun beside the look, which takes as long
  void board.owner.refuse();
  const preparation = await look(board);
  const seenAt = clock.monotonic();
  const desired = desiredOf(board, preparation);
  tellOtherOwner(board, desired);
  tellIgnored(board, desired);
  const planned = planOverlay(desired, preparation.actual, { removals: board.book.source === 'datastore' });
  const { plan, heldBack } = await guardRemovals(board, planned, () => lookAgain(board, preparation));
  refuseForeignLinks(plan, preparation.actual);
  const isChange = plan.operations.some(isToDo);
  if (isChange) {
    const isAddition = plan.operations.every(({ verb }) => verb !== 'delete' && verb !== 'replace');
    await board.owner.refuse(isAddition ? startedAt : seenAt);
    await carryOut(board, { desired, plan, preparation });
  }
  settle(board, 'foreign-route', foreignProblem(plan));
  const subnetEnv = await keepSubnetFile(board, preparation);
  if (subnetEnv !== undefined) await keepConflist(board);
  const drift = isChange ? [] : openLines(plan);
  board.lastRound = { at: clock.monotonic(), desired, drift, heldBack, subnetEnv };
  measures.round((clock.monotonic() - startedAt) / 1000);
}

/** Reads the node; an address that changed is published by the care for the lease. */
async function look(board: Board): Promise<Preparation> {
  const { underlay: last, config, settings, parts } = board;
  const preparation = await prepareNode(config, { options: settings.options, host: parts.host, last });
  const { underlay, doubt } = preparation;
  settle(board, 'interface', doubt === undefined ? undefined : `${doubt}; ${underlay.device} is kept`);
  board.underlay = underlay;
  const wanted = wantedAttributes(board.own, preparation);
  if (JSON.stringify(wanted) !== JSON.stringify(board.wanted)) {
    board.wanted = wanted;
    board.care.ring('what is published should change');
  }
  return preparation;
}

/** After the list of leases was read again. */
function lookAgain(board: Board, preparation: Preparation): OverlayPlan {
  return planOverlay(desiredOf(board, preparation), preparation.actual, { removals: true });
}

function desiredOf(board: Board, { actual, hasBlackhole }: Preparation): DesiredOverlay {
  const { book, own, config, underlay, wanted } = board;
  const lease = leaseOf(own);
  const desired = desiredOverlay({
    config,
    own: lease === null ? null : { ...lease, attributes: wanted },
    ownSubnets: own.status === 'conflict' ? own.used : [],
    underlay,
    leases: book.records,
    isDirect: directTest(actual.routes),
    hasBlackhole,
    isHeld: holdsTest(actual),
  });
  board.directRoutes = ownDirectRoutes(board.directRoutes, desired, actual);
  return { ...desired, directRoutes: board.directRoutes };
}

/** Also one that is not held any more: the data path stays as it is until somebody decides. */
function leaseOf(own: OwnLease) {
  return own.status === 'none' ? null : own.lease;
}

interface Work {
  readonly desired: DesiredOverlay;
  readonly plan: OverlayPlan;
  readonly preparation: Preparation;
}

async function carryOut(board: Board, { desired, plan, preparation }: Work): Promise<void> {
  const { host, writer, log } = board.parts;
  const work = onExistingDevices(plan, preparation);
  const removals = board.book.source === 'datastore';
  const reobserve = async () => planOverlay(desired, await observeOverlay(host), { removals });
  countOperations(board, work);
  await applyPlan({ writer, plan: work, reobserve });
  if (work.operations.some(({ verb, entry }) => verb !== 'keep' && entry.kind === 'link'))
    await acceptNoRouters(writer, desired);
  log.info('programmed', { operations: work.operations.filter(isToDo).length, peers: desired.peers.length });
}

/**
 * Without a lease there is no link to make: then entries go only onto one that is there already. What goes away is there, on whatever
 * device: a direct route is on the underlay.
 */
function onExistingDevices(plan: OverlayPlan, { actual }: Preparation): OverlayPlan {
  const made = plan.operations.flatMap(({ entry }) => (entry.kind === 'link' ? entry.device : []));
  const devices = new Set<string | null>([null, ...made, ...actual.links.map(({ device }) => device)]);
  return { operations: plan.operations.filter(({ verb, entry }) => verb === 'delete' || devices.has(entry.device)) };
}

export function isToDo({ verb }: Operation): boolean {
  return verb === 'add' || verb === 'replace' || verb === 'delete';
}

function openLines({ operations }: OverlayPlan): readonly string[] {
  return operations.filter(isToDo).flatMap(renderOperation);
}
