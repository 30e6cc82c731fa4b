import type { Board } from './board.ts';
import { problemsOf } from './health.ts';
import { toldOf } from './told.ts';

/** What the agent says of itself to whoever asks for its lock; JSON, without secrets. */
export function describeAgent(board: Board | undefined): string {
  if (board === undefined) return JSON.stringify({ ready: false, problems: ['starting'], lease: null });
  const { own, book, suspicion, lastRound, parts, settings } = board;
  const problems = problemsOf(board);
  const endsAt = own.status === 'held' ? own.endsAt : null;
  return JSON.stringify({
    ready: problems.length === 0,
    problems,
    lease: own.status,
    leaseSecondsLeft: endsAt === null ? null : Math.max(0, Math.round((endsAt - parts.clock.monotonic()) / 1000)),
    leases: book.source,
    told: toldOf(settings.options),
    suspicion: suspicion.kind,
    heldBack: lastRound?.heldBack ?? [],
    lastLookSecondsAgo: lastRound === undefined ? null : Math.round((parts.clock.monotonic() - lastRound.at) / 1000),
  });
}
