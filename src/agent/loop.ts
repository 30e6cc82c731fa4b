import { FlannelctlError } from '../errors.ts';
import { type Board, settle } from './board.ts';
import { ASK_AGAIN_MS, askKept } from './guard.ts';
import { OwnerError, refuseOwner } from './owner.ts';
import { Pace } from './pace.ts';
import { problemText } from './problem.ts';
import { reconcile } from './round.ts';
import { RESYNC_MS } from './settings.ts';
import type { Waker } from './waker.ts';

/** A round that failed is tried again soon: what failed may be a race with somebody else's change. */
const RETRY_MS = 1000;

/** A clock that moved that much more or less than the time that passed was set, or the host slept. */
const GAP_MS = 30_000;

/**
 * The reconcile loop: until `signal` aborts, or a flanneld was started beside us.
 *
 * @throws {OwnerError} in the latter case; the data path stays.
 */
export async function reconcileForEver(board: Board, signal: AbortSignal, onRound: () => void): Promise<void> {
  const { clock } = board.parts;
  const pace = new Pace(clock);
  let time = timeOf(board);
  let isTimer = false;
  let askAt = clock.monotonic() + ASK_AGAIN_MS;
  while (!signal.aborted) {
    const isGood = await pace.spend(() => tryRound(board, isTimer));
    if (signal.aborted) return;
    onRound();
    if (clock.monotonic() >= askAt) {
      await askKept(board);
      askAt = clock.monotonic() + ASK_AGAIN_MS;
    }
    await pace.rest(signal);
    isTimer = (await board.look.next(isGood ? nextLook(board) : RETRY_MS, signal)).size === 0;
    time = noticeGap(board, time);
  }
}

/** A flanneld that changes nothing yet is found by the timer; before anything is written it is looked for each time. */
async function tryRound(board: Board, isTimer: boolean): Promise<boolean> {
  try {
    if (isTimer) await refuseOwner(board.parts.host);
    await reconcile(board);
    settle(board, 'kernel', undefined);
    return true;
  } catch (error) {
    if (error instanceof OwnerError || !(error instanceof FlannelctlError)) throw error;
    settle(board, error.code === 'unsupported' ? 'interface' : 'kernel', problemText(error));
    return false;
  }
}

function nextLook({ suspicion, parts }: Board): number {
  if (suspicion.kind !== 'waiting') return RESYNC_MS;
  return Math.max(1, Math.min(RESYNC_MS, suspicion.rereadAt - parts.clock.monotonic()));
}

interface Times {
  readonly wall: number;
  readonly monotonic: number;
}

function timeOf({ parts: { clock } }: Pick<Board, 'parts'>): Times {
  return { wall: clock.now(), monotonic: clock.monotonic() };
}

/** After a sleep of the host, a pause of the process or a jump of the clock nothing is sure of the lease until it was read. */
function noticeGap(board: Board & { readonly care: Waker }, before: Times): Times {
  const now = timeOf(board);
  const passed = now.monotonic - before.monotonic;
  const jumped = Math.abs(now.wall - before.wall - passed);
  if (jumped > GAP_MS || passed > RESYNC_MS + GAP_MS) {
    board.parts.log.warn('time jumped; the lease is read again', {
      jumpedMs: Math.round(jumped),
      passedMs: Math.round(passed),
    });
    board.inDoubt = true;
    board.care.ring('time jumped');
  }
  return now;
}
