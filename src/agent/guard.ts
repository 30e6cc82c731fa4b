import type { OverlayPlan } from '../dataplane/entry.ts';
import { answeringSubnets } from './answering.ts';
import type { Board } from './board.ts';
import { refuseForeignCluster } from './cluster.ts';
import { subnetsOf } from './lease-book.ts';
import { isUnanswered, problemText } from './problem.ts';
import {
  confirmSuspicion,
  judgeRemovals,
  REREAD_MS,
  type RemovalInput,
  type RemovalVerdict,
  type Suspicion,
} from './removals.ts';

/** A lease lives that long at most without being renewed (flannel pkg/subnet/etcd, subnetTTL). */
const LEASE_MS = 86_400_000;

/** Between two questions whether those that were kept still answer. */
export const ASK_AGAIN_MS = 60_000;

/**
 * Holds back deletions that a suddenly short list asks for: reads the list again after its time, and keeps of those that it still does
 * not name the ones that answer. `replan` plans with what the book says now.
 */
export async function guardRemovals(
  board: Board,
  plan: OverlayPlan,
  replan: () => OverlayPlan,
): Promise<Pick<RemovalVerdict, 'plan' | 'heldBack'>> {
  const { book } = board;
  const [deleted, isRewound] = [book.takeDeleted(), book.takeRewound()];
  const now = board.parts.clock.monotonic();
  if (board.suspicion.kind === 'waiting' && now >= board.suspicion.rereadAt) {
    return take(board, { plan: await readAgain(board, plan, replan), deleted, isRewound });
  }
  return take(board, { plan, deleted, isRewound });
}

function take(board: Board, input: Pick<RemovalInput, 'plan' | 'deleted' | 'isRewound'>) {
  const verdict = judgeRemovals({ ...input, suspicion: board.suspicion, now: board.parts.clock.monotonic() });
  tell(board, verdict);
  board.suspicion = verdict.suspicion;
  return verdict;
}

async function readAgain(board: Board, plan: OverlayPlan, replan: () => OverlayPlan): Promise<OverlayPlan> {
  const { clock, store, measures, log } = board.parts;
  try {
    const listing = await store.listLeases({ ttl: false });
    refuseForeignCluster(board, listing);
    board.book.replace(listing);
  } catch (error) {
    measures.datastoreError('list');
    log.warn('the leases could not be read again; nobody is let go', { error: problemText(error) });
    board.suspicion = postponed(board.suspicion, clock.monotonic() + REREAD_MS);
    return plan;
  }
  const again = replan();
  const { heldBack } = judgeRemovals({
    plan: again,
    suspicion: board.suspicion,
    deleted: [],
    isRewound: false,
    now: clock.monotonic(),
  });
  if (heldBack.length === 0) return again;
  const answering = await answeringSubnets(board.parts.host, heldBack);
  const ends = await endsOf(board, answering);
  const untilOf = (subnet: string) => clock.monotonic() + (ends.get(subnet) ?? LEASE_MS);
  board.suspicion = confirmSuspicion(heldBack, answering, untilOf);
  log.warn('the leases were read again and still lack these peers', {
    peers: heldBack.length,
    answering: answering.length,
  });
  return again;
}

/**
 * How much time (ms) the leases of these subnets have left, by their subnets: etcd keeps a lease for its time also when the key that it
 * held was deleted. Of a lease that it does not know any more nothing can be said.
 */
async function endsOf({ book, parts }: Board, subnets: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { store, clock, log } = parts;
  try {
    const timed = await store.readTimes({ records: book.lastHolders(subnets), revision: '0' });
    return new Map(
      timed.flatMap((record) => {
        const leftMs = (record.expiresAt ?? 0) - clock.now();
        return leftMs > 0 ? subnetsOf(record).map((subnet) => [subnet, leftMs] as const) : [];
      }),
    );
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    log.warn('the time left of leases could not be read', { error: problemText(error) });
    return new Map();
  }
}

/** Of those that were kept, only who still answers is kept on. */
export async function askKept(board: Board): Promise<void> {
  const { suspicion } = board;
  if (suspicion.kind !== 'confirmed' || suspicion.kept.size === 0) return;
  const answering = new Set(await answeringSubnets(board.parts.host, [...suspicion.kept.keys()]));
  if (board.suspicion !== suspicion) return;
  const kept = new Map([...suspicion.kept].filter(([subnet]) => answering.has(subnet)));
  board.suspicion = { ...suspicion, kept };
  if (kept.size < suspicion.kept.size) board.look.ring('a peer without a lease no longer answers');
}

function postponed(suspicion: Suspicion, rereadAt: number): Suspicion {
  return suspicion.kind === 'waiting' ? { ...suspicion, rereadAt } : suspicion;
}

function tell({ suspicion, parts: { log } }: Board, verdict: RemovalVerdict): void {
  if (verdict.suspicion.kind === suspicion.kind) return;
  if (verdict.suspicion.kind === 'waiting') {
    const peers = verdict.heldBack.length;
    log.error('the list of leases suddenly lacks peers; it is read again before anybody is let go', { peers });
  }
  if (verdict.suspicion.kind === 'none') log.info('the list of leases is believed again');
}
