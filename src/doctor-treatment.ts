import type { RepairStep } from './doctor/repair.ts';
import type { DoctorReport } from './doctor/report.ts';
import type { DoctorSession } from './doctor-session.ts';
import { UsageError } from './errors.ts';
import type { Clock } from './host/clock.ts';
import { printable } from './render/printable.ts';

export interface TreatmentOptions {
  readonly fix: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** Look again until healthy for this long; 0: look once. */
  readonly waitMs: number;
  readonly canAsk: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  confirm(question: string): Promise<boolean>;
  /** A line for the person at the terminal. */
  note(text: string): void;
}

const PAUSE_MS = 2000;

/** Looks; with `fix` shows the repair, asks, applies, and looks again. The report is that of the last look. */
export async function treat(session: DoctorSession, options: TreatmentOptions): Promise<DoctorReport> {
  const report = await lookUntilHealthy(session, options);
  const steps = session.repairs();
  if (!options.fix || steps.length === 0) return report;
  showPlan(steps, options);
  if (options.dryRun || !(await isAgreed(options))) return report;
  return session.repair(steps);
}

async function lookUntilHealthy(
  session: DoctorSession,
  { waitMs, clock, signal }: TreatmentOptions,
): Promise<DoctorReport> {
  const until = clock.monotonic() + waitMs;
  let report = await session.look();
  while (report.verdict.status !== 'healthy' && clock.monotonic() + PAUSE_MS < until && !signal.aborted) {
    await Promise.allSettled([clock.sleep(PAUSE_MS, signal)]);
    if (!signal.aborted) report = await session.look();
  }
  return report;
}

function showPlan(steps: readonly RepairStep[], { note, dryRun }: TreatmentOptions): void {
  note(dryRun ? 'This would be done:' : 'This is going to be done:');
  for (const { check, lines } of steps) {
    note(`  ${check}`);
    for (const line of lines) note(`    ${printable(line)}`);
  }
}

/** @throws {UsageError} when nobody is there to ask. */
async function isAgreed({ yes, canAsk, confirm }: TreatmentOptions): Promise<boolean> {
  if (yes) return true;
  if (!canAsk)
    throw new UsageError('a repair needs to be confirmed and there is no terminal', {
      hint: 'Pass --yes, or --dry-run to see it only.',
    });
  return confirm('Do this?');
}
