import { acquireOwn } from './acquisition.ts';
import { announceNode } from './announce.ts';
import { anticipateForEver } from './anticipate.ts';
import { type AgentParts, type Board, type RoundReport, settle } from './board.ts';
import { tellBridgeFilter } from './bridge-filter.ts';
import { followKernel } from './follow-kernel.ts';
import { followRules } from './follow-rules.ts';
import { followStore } from './follow-store.ts';
import { serveHealth } from './health.ts';
import { keepConfig } from './keep-config.ts';
import type { OwnLease } from './lease-care.ts';
import { keepLease, settleFailure, settleLease } from './lease-keeper.ts';
import { holdLock } from './lock.ts';
import { reconcileForEver } from './loop.ts';
import { keepState } from './memory.ts';
import { OwnerError, refuseOwner, refuseWithoutRoot } from './owner.ts';
import { isUnanswered, problemText } from './problem.ts';
import { releaseMemory } from './release-memory.ts';
import { keepRules } from './rules.ts';
import { describeAgent } from './self-description.ts';
import type { AgentSettings } from './settings.ts';
import { startBoard } from './start.ts';
import { feedWatchdog, tellSystemd } from './systemd.ts';
import { takeOver, tellingFlags } from './takeover.ts';

/** Why the agent ended; the data path is as it was either way. */
export type Ending = 'stopped' | 'left to a flanneld';

/**
 * The node agent, until `signal` aborts.
 *
 * @throws {ConflictError} when another agent runs in this network namespace, or a flanneld does; {UnavailableError} when it cannot start.
 */
export async function runAgent(parts: AgentParts, settings: AgentSettings, signal: AbortSignal): Promise<Ending> {
  await refuseWithoutRoot(parts.host);
  let board: Board | undefined;
  const lock = await holdLock(parts.resident, { answer: () => describeAgent(board), hint: ASK });
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const { healthzIp: address, healthzPort: port } = settings.options;
  const health = port > 0 ? serveHealth(() => board, { ...parts, address, port }, until) : Promise.resolve();
  try {
    if (!settings.takeover) await refuseOwner(parts.host);
    const starting = startBoard(parts, settings);
    board = await (settings.takeover ? tellingFlags(parts.host, starting) : starting);
    await tellBridgeFilter(board);
    if (settings.takeover) await takeOver(parts);
    return await live(board, until, () => stop.abort());
  } finally {
    stop.abort();
    await health;
    await lock.close();
  }
}

const ASK = 'See what it says: flannelctl status';

/** Each task ends when the signal aborts; the first one that fails ends the others. */
async function live(board: Board, signal: AbortSignal, stop: () => void): Promise<Ending> {
  // All leases are read while ours is acquired.
  const tasks = [followStore(board, signal), careForNode(board, signal, stop)];
  const failure = await failureAmong(tasks, stop);
  board.parts.log.info('ends; the data path stays');
  await tellSystemd(board, 'STOPPING=1');
  if (failure === undefined) return 'stopped';
  if (!(failure.reason instanceof OwnerError)) throw failure.reason;
  board.parts.log.warn(`${failure.reason.message}; leaving it the device`);
  return 'left to a flanneld';
}

async function careForNode(board: Board, signal: AbortSignal, stop: () => void): Promise<void> {
  await firstLease(board);
  const tasks = [
    followKernel(board, signal),
    anticipateForEver(board, signal),
    keepLease(board, signal),
    keepRules(board, signal),
    followRules(board, signal),
    keepState(board, signal),
    keepConfig(board, signal),
    feedWatchdog(board, signal),
    releaseMemory(board, signal),
    announceNode(board, signal),
    reconcileWhenKnown(board, signal, onFirstGoodRound(board)),
  ];
  const failure = await failureAmong(tasks, stop);
  if (failure !== undefined) throw failure.reason;
}

/** Waits for all of them to end. */
async function failureAmong(
  tasks: readonly Promise<void>[],
  stop: () => void,
): Promise<PromiseRejectedResult | undefined> {
  const ended = await Promise.allSettled(tasks.map((task) => orStop(task, stop)));
  return ended.find((one) => one.status === 'rejected');
}

async function orStop(task: Promise<void>, stop: () => void): Promise<void> {
  try {
    await task;
  } catch (error) {
    stop();
    throw error;
  }
}

/**
 * Before anything is programmed: without a lease there is nothing to program. It is tried again later where the datastore does not answer,
 * and in Kubernetes, where others make the Node and give it its podCIDR.
 */
async function firstLease(board: Board): Promise<void> {
  if (board.own.status === 'none') {
    try {
      await acquireOwn(board);
    } catch (error) {
      if (!isUnanswered(error) && board.parts.store.assigned === undefined) throw error;
      return settleFailure(board, problemText(error));
    }
  }
  settleLease(board);
}

/** The first look waits for the leases: a plan without them would have nobody to serve. */
async function reconcileWhenKnown(board: Board, signal: AbortSignal, onRound: () => void): Promise<void> {
  while (board.book.source === 'nowhere' && !signal.aborted) await board.look.next(1000, signal);
  await reconcileForEver(board, signal, onRound);
}

function onFirstGoodRound(board: Board): () => void {
  let isTold = false;
  return () => {
    if (isTold || board.lastRound === undefined || !isProgrammed(board.own, board.lastRound)) return;
    isTold = true;
    settle(board, 'start', undefined);
    const { own, lastRound, parts } = board;
    const subnet = own.status === 'none' ? null : (own.lease?.subnet ?? own.lease?.ipv6Subnet ?? null);
    parts.log.info('the overlay is up', { subnet, peers: lastRound.desired.peers.length, lease: own.status });
    void tellSystemd(board, 'READY=1');
  };
}

/** A round from before the lease served the peers alone. */
function isProgrammed(own: OwnLease, { desired }: RoundReport): boolean {
  if (own.status === 'none') return false;
  return own.lease === null || desired.entries.some(({ entry }) => entry.kind === 'link');
}
