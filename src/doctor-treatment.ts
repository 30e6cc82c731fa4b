import type { RepairStep } from './doctor/repair.ts';
import type { DoctorReport } from './doctor/report.ts';
import type { DoctorSession } from './doctor-session.ts';
import { UsageError } from './errors.ts';
import type { Clock } from './host/clock.ts';
import { printable } from './render/printable.ts';
import type { Words } from './render/words.ts';

export interface TreatmentOptions {
  readonly fix: boolean;
  readonly 'dry-run': boolean;
  readonly yes: boolean;
  /** Look again until healthy for this long; 0: look once. */
  readonly waitMs: number;
  readonly canAsk: boolean;
  readonly clock: Clock;
  /** Aborted when somebody ends the run. */
  readonly interruption: AbortSignal;
  readonly words: Words;
  confirm(question: string, stop: AbortSignal): Promise<boolean>;
  /** A line for the person at the terminal. */
  note(text: string): void;
}

const PAUSE_MS = 2000;

/** Looks; with `fix` shows the repair, asks, applies, and looks again. The report is that of the last look. */
export async function treat(session: DoctorSession, options: TreatmentOptions): Promise<DoctorReport> {
  const report = await lookUntilHealthy(session, options);
  if (!options.fix || options.interruption.aborted) return report;
  const steps = session.repairs();
  if (steps.length === 0) {
    if (report.rootCauses.length > 0) options.note(options.words.nothingToRepair);
    return report;
  }
  showPlan(steps, report, options);
  if (options['dry-run']) return report;
  return (await isAgreed(options)) ? session.repair(steps) : session.retell();
}

async function lookUntilHealthy(
  session: DoctorSession,
  { waitMs, clock, interruption }: TreatmentOptions,
): Promise<DoctorReport> {
  const until = clock.monotonic() + waitMs;
  let report = await session.look();
  while (report.verdict.status !== 'healthy' && clock.monotonic() + PAUSE_MS < until && !interruption.aborted) {
    await Promise.allSettled([clock.sleep(PAUSE_MS, interruption)]);
    report = interruption.aborted ? session.retell() : await session.look();
  }
  return report;
}

/** What is wrong stands above what is done about it: the report itself comes after the question. */
function showPlan(
  steps: readonly RepairStep[],
  { checks }: DoctorReport,
  { note, words, ...options }: TreatmentOptions,
): void {
  note(options['dry-run'] ? words.wouldDo : words.willDo);
  for (const { check, lines } of steps) {
    const summary = checks.find(({ id }) => id === check)?.summary ?? '';
    note(`  ${check}: ${printable(summary)}`);
    for (const line of lines) note(`    ${printable(line)}`);
  }
}

/** @throws {UsageError} when nobody is there to ask. */
async function isAgreed({ yes, canAsk, confirm, words, interruption }: TreatmentOptions): Promise<boolean> {
  if (yes) return true;
  if (!canAsk)
    throw new UsageError('a repair needs to be confirmed and there is no terminal', {
      hint: 'Pass --yes, or --dry-run to see it only.',
    });
  return confirm(words.doThis, interruption);
}
