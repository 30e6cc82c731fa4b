import { runPhase } from '../dataplane/attempt.ts';
import { phasesOf } from '../dataplane/batch.ts';
import { desiredOverlay, vxlanOf } from '../dataplane/desired.ts';
import type { DesiredEntry, Entry, Operation } from '../dataplane/entry.ts';
import { FlannelctlError } from '../errors.ts';
import type { Board } from './board.ts';
import { countOperations } from './counts.ts';

/** Of more than that the look at the kernel is the smaller part. */
const MOST_ENTRIES = 300;

/**
 * Adds what new leases ask for without waiting for a round, until `signal` aborts: with thousands of peers the look at the kernel takes ten
 * times as long as the entries of one. It adds only, and on devices that the last round left in order; a route of somebody else in the same
 * place stays, because a route is added here and never replaced. A round that runs meanwhile takes nothing of it away: what it removes
 * it knew before it read the leases. The next one sees what came of it, and tells what is wrong.
 */
export async function anticipateForEver(board: Board, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const reasons = await board.fresh.next(IDLE_MS, signal);
    if (reasons.size === 0) continue;
    try {
      await anticipate(board);
    } catch (error) {
      if (!(error instanceof FlannelctlError)) throw error;
    }
  }
}

/** Nobody rings for so long. */
const IDLE_MS = 60_000;

async function anticipate(board: Board): Promise<void> {
  const fresh = newEntries(board);
  if (fresh.length === 0 || fresh.length > MOST_ENTRIES) return;
  await board.owner.refuse();
  const operations = fresh.map(({ entry, subject }): Operation => ({ verb: 'add', entry, subject }));
  countOperations(board, { operations });
  const attempts = { tried: new Set<never>(), complaints: new Map<string, string>() };
  for (const batches of phasesOf({ operations })) await runPhase({ writer: board.parts.writer, batches, attempts });
}

/** What is wanted now and was not wanted by a round that found or left everything in order. With DirectRouting the kernel decides. */
function newEntries({ lastRound, book, own, config, underlay, wanted }: Board): readonly DesiredEntry[] {
  const isSettled = lastRound?.drift.length === 0 && book.source === 'datastore' && own.status === 'held';
  if (!isSettled || vxlanOf(config).directRouting) return [];
  const { devices, entries } = lastRound.desired;
  const before = new Set(entries.map(({ entry }) => JSON.stringify(entry)));
  const isNew = (entry: Entry) => !before.has(JSON.stringify(entry));
  const desired = desiredOverlay({
    ...{ config, underlay, leases: book.records, own: { ...own.lease, attributes: wanted } },
    isDirect: () => false,
    isHeld: (entry) => !isNew(entry),
  });
  const isOfPeer = ({ kind, device }: Entry) =>
    (kind === 'neighbour' || kind === 'fdb' || kind === 'route') && device !== null && devices.includes(device);
  return desired.entries.filter(({ entry, subject }) => subject !== 'node' && isOfPeer(entry) && isNew(entry));
}
