import { type Examination, examine } from './doctor/examine.ts';
import { applyRepair, planRepair, type RepairStep } from './doctor/repair.ts';
import { buildReport, type DoctorReport, type FixSection, type Language } from './doctor/report.ts';
import type { CheckSelection } from './doctor/selection.ts';
import { judge, type VerdictOptions } from './doctor/verdict.ts';
import { type EnvironmentOptions, openEnvironment } from './fact-environment.ts';
import { FactStore } from './facts/fact-store.ts';
import { overlayPlanFact } from './facts/overlay.ts';

export interface SessionOptions extends Omit<EnvironmentOptions, 'signal'> {
  /** Time for one look or one repair, begun anew for each: a question in between takes as long as it takes. */
  readonly deadline: () => AbortSignal;
  /** Aborted with the name of the signal by which somebody ended the run. */
  readonly interruption: AbortSignal;
  readonly selection: CheckSelection;
  readonly verdict: Omit<VerdictOptions, 'selected' | 'isNotApplicable' | 'interruptedBy'>;
  readonly language: Language;
  readonly version: string;
  readonly source: DoctorReport['run']['source'];
  readonly onProgress: (done: number, total: number) => void;
}

/** One run of doctor: look, perhaps repair and look again, report. */
export class DoctorSession {
  readonly #options: SessionOptions;
  readonly #startedAt: number;
  readonly #startedMonotonic: number;
  #fixes: readonly FixSection[] = [];
  #last: Examination | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#startedAt = options.world.clock.now();
    this.#startedMonotonic = options.world.clock.monotonic();
  }

  /** Looks at the node anew. */
  async look(): Promise<DoctorReport> {
    const { selection, onProgress } = this.#options;
    const opened = openEnvironment({ ...this.#options, signal: this.#options.deadline() });
    let done = 0;
    try {
      const onOutcome = () => onProgress(++done, selection.needed.length);
      const { environment } = opened;
      this.#last = await examine({ checks: selection.needed, environment, onOutcome });
      return this.#report(this.#last);
    } finally {
      await opened.close();
    }
  }

  /** The last look once more; an interruption since then is in it. */
  retell(): DoctorReport {
    if (this.#last === undefined) throw new TypeError('nothing was looked at');
    return this.#report(this.#last);
  }

  /** What could be repaired of what the last look found and the report tells. */
  repairs(): readonly RepairStep[] {
    if (this.#last === undefined) return [];
    const told = new Set(this.retell().rootCauses.map(({ id }) => id));
    return planRepair(this.#last.diagnosis, this.#options.verdict.suppressed).filter(({ check }) => told.has(check));
  }

  /** Carries out the repairs and looks again: the report is that of the second look. */
  async repair(steps: readonly RepairStep[]): Promise<DoctorReport> {
    const { world } = this.#options;
    const { environment, close } = openEnvironment({ ...this.#options, signal: this.#options.deadline() });
    try {
      const reobserve = () => new FactStore(environment).get(overlayPlanFact);
      this.#fixes = await applyRepair(steps, { writer: await world.writer(), reobserve });
    } finally {
      await close();
    }
    return this.look();
  }

  /** Errors that no part should throw: for `--debug`. */
  get crashes(): readonly unknown[] {
    return this.#last?.crashes ?? [];
  }

  #report(examination: Examination): DoctorReport {
    const { selection, verdict, language, version, source, mayProbe, world, interruption } = this.#options;
    const selected = new Set(selection.selected.map(({ id }) => id));
    const { reason } = interruption;
    const interruptedBy = reason === 'SIGINT' || reason === 'SIGTERM' ? reason : undefined;
    const { diagnosis, isNotApplicable, host, flannel } = examination;
    return buildReport({
      diagnosis,
      verdict: judge(diagnosis, { ...verdict, selected, isNotApplicable, interruptedBy }),
      language,
      suppressed: verdict.suppressed,
      selected,
      version,
      run: {
        startedAt: new Date(this.#startedAt).toISOString().replace(/\.\d+Z$/, 'Z'),
        durationMs: Math.round(world.clock.monotonic() - this.#startedMonotonic),
        complete: interruptedBy === undefined,
        source,
        probe: mayProbe ? 'active' : 'passive',
      },
      host,
      flannel,
      fixes: this.#fixes,
      errors: [],
    });
  }
}
