import { FlannelctlError } from '../errors.ts';
import type { Board } from './board.ts';
import { STALLED_MS } from './health.ts';
import { pause } from './waker.ts';

/** Tells systemd that the loop still comes round; a loop that hangs is silent, and systemd starts us anew. */
export async function feedWatchdog(board: Board, signal: AbortSignal): Promise<void> {
  const { resident, clock } = board.parts;
  const { watchdogMs } = resident;
  if (watchdogMs === undefined) return;
  while (!signal.aborted) {
    const at = board.lastRound?.at ?? clock.monotonic();
    if (clock.monotonic() - at < STALLED_MS) await tellSystemd(board, 'WATCHDOG=1');
    await pause(clock, watchdogMs / 2, signal);
  }
}

/** What systemd is not told in time it finds out by itself. */
export async function tellSystemd({ parts: { resident, log } }: Pick<Board, 'parts'>, state: string): Promise<void> {
  try {
    await resident.notify(state);
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    log.warn(error.message);
  }
}
