import { FlannelctlError } from '../errors.ts';
import { type Board, settle } from './board.ts';
import { ASK_AGAIN_MS, askKept } from './guard.ts';
import { OwnerError } from './owner.ts';
import { Pace } from './pace.ts';
import { problemText } from './problem.ts';
import { reconcile } from './round.ts';
import { RESYNC_MS } from './settings.ts';
import { isSubnetFileChanged } from './subnet-file.ts';
import type { Waker } from './waker.ts';

/** A round that failed is tried again soon: what failed may be a race with somebody else's change. */
const RETRY_MS = 1000;

/** Between two looks at who else runs here: reading /proc costs no process. */
const OWNER_MS = 10_000;

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
  const gaps = { before: timeOf(board) };
  let askAt = clock.monotonic() + ASK_AGAIN_MS;
  while (!signal.aborted) {
    const isGood = await pace.spend(() => attempt(board, reconcile(board)));
    if (signal.aborted) return;
    if (isGood) settle(board, 'kernel', undefined);
    onRound();
    if (clock.monotonic() >= askAt) {
      await askKept(board);
      askAt = clock.monotonic() + ASK_AGAIN_MS;
    }
    await pace.rest(signal);
    await waitForReason({ board, gaps, timeoutMs: isGood ? nextLook(board) : RETRY_MS }, signal);
  }
}

async function attempt(board: Board, work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof OwnerError || !(error instanceof FlannelctlError)) throw error;
    settle(board, error.code === 'unsupported' ? 'interface' : 'kernel', problemText(error));
    return false;
  }
}

interface Waiting {
  readonly board: Board;
  readonly gaps: { before: Times };
  readonly timeoutMs: number;
}

/**
 * Until somebody rings, or the time is over. Meanwhile it is looked for what tells nobody: a subnet file that was changed, and a flanneld that
 * changes nothing yet; before anything is written that is looked for, too.
 */
async function waitForReason({ board, gaps, timeoutMs }: Waiting, signal: AbortSignal): Promise<void> {
  const { look, parts } = board;
  const endsAt = parts.clock.monotonic() + timeoutMs;
  for (let left = timeoutMs; left > 0 && !signal.aborted; left = endsAt - parts.clock.monotonic()) {
    const reasons = await look.next(Math.min(left, OWNER_MS), signal);
    gaps.before = noticeGap(board, gaps.before);
    if (reasons.size > 0) return;
    if (signal.aborted || !(await attempt(board, board.owner.refuse())) || (await isSubnetFileChanged(board))) return;
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
  if (jumped > GAP_MS || passed > OWNER_MS + GAP_MS) {
    board.parts.log.warn('time jumped; the lease is read again', {
      jumpedMs: Math.round(jumped),
      passedMs: Math.round(passed),
    });
    board.inDoubt = true;
    board.care.ring('time jumped');
  }
  return now;
}
