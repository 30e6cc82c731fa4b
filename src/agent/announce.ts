import type { Board } from './board.ts';
import { type Judged, problemsOf } from './health.ts';
import { problemText } from './problem.ts';

const ANNOUNCE_MS = 500;

/** After a refusal: a role that lacks the right is granted by a person. */
const RETRY_MS = 30_000;

const HOUR_MS = 3_600_000;

export type Announcing = Pick<Board, 'acquired'> &
  Judged & { readonly parts: Pick<Board['parts'], 'clock' | 'announce' | 'log' | 'measures'> };

/**
 * Tells the Node that its network is up, once all is good; the scheduler waits for it (condition NetworkUnavailable). And again when the
 * lease was acquired anew: then the Node is another one of the same name.
 */
export async function announceNode(board: Announcing, signal: AbortSignal): Promise<void> {
  const { announce } = board.parts;
  let isTold = false;
  let waitMs = ANNOUNCE_MS;
  while (announce !== undefined && !signal.aborted) {
    const reasons = await board.acquired.next(waitMs, signal);
    if (signal.aborted) return;
    isTold = isTold && reasons.size === 0;
    if (isTold) continue;
    const isGood = problemsOf(board).length === 0;
    isTold = isGood && (await tryAnnounce(board, announce));
    waitMs = isTold ? HOUR_MS : isGood ? RETRY_MS : ANNOUNCE_MS;
  }
}

async function tryAnnounce({ parts: { log, measures } }: Announcing, announce: () => Promise<void>): Promise<boolean> {
  try {
    await announce();
    return true;
  } catch (error) {
    measures.datastoreError('announce');
    log.warn('the condition of the node could not be written', { error: problemText(error) });
    return false;
  }
}
