import type { StatusSession } from './agent-session.ts';
import type { AgentReport } from './render/agent-status.ts';

const EVERY_MS = 1000;

export interface WatchWishes {
  readonly say: (report: AgentReport) => void;
  /** Time within which it may still come in order; 0: one look. */
  readonly waitMs: number;
  /** Until it is told to stop; says it again whenever it changed. */
  readonly isEndless: boolean;
}

/** Looks once, or until all is in order, or until `signal` aborts; what was seen last is said then, too. */
export async function watchStatus(
  session: StatusSession,
  { say, waitMs, isEndless }: WatchWishes,
  signal: AbortSignal,
): Promise<AgentReport> {
  const endsAt = session.now() + waitMs;
  for (let said = ''; ; ) {
    const report = await session.look();
    const isLast = !isEndless && (report.overlay.status === 'in-order' || session.now() >= endsAt);
    // The seconds that are left change all the time.
    const status = JSON.stringify({ ...report.overlay, lease: null });
    if (isLast || (isEndless && status !== said)) say(report);
    said = status;
    if (isLast) return report;
    if (!(await isStopped(session, signal))) continue;
    if (!isEndless) say(report);
    return report;
  }
}

async function isStopped(session: StatusSession, signal: AbortSignal): Promise<boolean> {
  try {
    await session.sleep(EVERY_MS, signal);
    return false;
  } catch (error) {
    if (signal.aborted) return true;
    throw error;
  }
}
