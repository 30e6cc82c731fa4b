import { FlannelctlError } from '../errors.ts';
import type { Argv } from '../host/host.ts';
import type { AgentParts } from './board.ts';
import { problemText } from './problem.ts';
import { RESYNC_MS } from './settings.ts';
import { pause } from './waker.ts';

export interface Following {
  readonly argv: Argv;
  /** It listens from about now on: what changed before was not told. */
  readonly onStart: () => void;
  readonly onLine: (line: string) => void;
}

const RETRY_MS = 1000;

/** Runs a program that tells what changes, and again whenever it ends; until `signal` aborts. */
export async function keepFollowing(
  { resident, clock, log }: Pick<AgentParts, 'resident' | 'clock' | 'log'>,
  { argv, onStart, onLine }: Following,
  signal: AbortSignal,
): Promise<void> {
  const program = argv.slice(0, 2).join(' ').replace(' -o', '');
  while (!signal.aborted) {
    const startedAt = clock.monotonic();
    try {
      const following = resident.follow(argv, onLine, signal);
      onStart();
      await following;
      if (!signal.aborted) log.warn('a program that tells of changes ended; it is started again', { program });
    } catch (error) {
      if (!(error instanceof FlannelctlError)) throw error;
      log.warn('changes are seen late', { program, error: problemText(error) });
      if (error.code === 'missing-tool') return;
    }
    // What ends at once will do so again: this kernel does not have it.
    const isAtOnce = clock.monotonic() - startedAt < RETRY_MS;
    await pause(clock, isAtOnce ? RESYNC_MS : RETRY_MS, signal);
  }
}
