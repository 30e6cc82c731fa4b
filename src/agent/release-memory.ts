import type { Board } from './board.ts';
import { pause } from './waker.ts';

const LOOK_MS = 2000;

/** Gives back what rounds left in memory, once they have come to rest; until `signal` aborts. */
export async function releaseMemory(board: Board, signal: AbortSignal): Promise<void> {
  const { clock, resident } = board.parts;
  let released: number | undefined;
  while (!signal.aborted) {
    await pause(clock, LOOK_MS, signal);
    const at = board.lastRound?.at;
    if (at === undefined || at === released || clock.monotonic() - at < LOOK_MS / 2) continue;
    resident.releaseMemory();
    released = at;
  }
}
