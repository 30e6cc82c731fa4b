import type { Board } from './board.ts';
import { problemsOf } from './health.ts';
import { problemText } from './problem.ts';
import { pause } from './waker.ts';

/** Once the first round was good; the scheduler waits for it (condition NetworkUnavailable). */
export async function announceNode(board: Board, signal: AbortSignal): Promise<void> {
  const { announce, clock, log, measures } = board.parts;
  let pauseMs = ANNOUNCE_MS;
  while (announce !== undefined && !signal.aborted) {
    await pause(clock, pauseMs, signal);
    if (signal.aborted || problemsOf(board).length > 0) continue;
    try {
      await announce();
      return;
    } catch (error) {
      measures.datastoreError('announce');
      log.warn('the condition of the node could not be written', { error: problemText(error) });
      pauseMs = RETRY_MS;
    }
  }
}

const ANNOUNCE_MS = 500;

/** After a refusal: a role that lacks the right is granted by a person. */
const RETRY_MS = 30_000;
