import { UsageError } from './errors.ts';
import { placeOf, problemsOf } from './lease-place.ts';
import type { PlannedPrune } from './lease-prune.ts';
import type { LeaseSession } from './lease-session.ts';
import { assertAllowed } from './leases/prune.ts';
import type { PrunePlan } from './leases/prune-plan.ts';
import { prunePlanDocument, type RemovalReport, removalDocument } from './render/lease-document.ts';
import { renderPlan, renderRemoval } from './render/lease-text.ts';
import { leaseWords } from './render/lease-words.ts';
import { printable } from './render/printable.ts';
import { safeJson } from './render/safe-json.ts';

export interface PruneReportOptions {
  readonly format: 'text' | 'json';
  readonly language: 'en' | 'zh';
  readonly isQuiet: boolean;
  readonly isDry: boolean;
  readonly print: (text: string) => void;
  readonly note: (text: string) => void;
}

/** What a prune says, and with which code it ends. With JSON the plan of a real run goes where the question is asked. */
export class PruneReport {
  readonly #options: PruneReportOptions;

  constructor(options: PruneReportOptions) {
    this.#options = options;
  }

  plan({ plan, view, absent }: PlannedPrune, session: LeaseSession): void {
    const { format, language, isQuiet, isDry, print, note } = this.#options;
    const words = leaseWords(language);
    const lines = [...absent.map(words.noSuchSubnet), ...problemsOf(view.scene, language)];
    if (!isQuiet) for (const line of lines) note(printable(line));
    if (format === 'text') print(renderPlan(plan, language));
    else if (isDry) print(safeJson(prunePlanDocument(plan, placeOf(session, view.listing), language), 2));
    else if (!isQuiet) note(renderPlan(plan, language));
  }

  /** A dry run shows a plan that is too large, and does not call it wrong usage; a lease in use that was named is refused all the same. */
  dryExitCode(plan: PrunePlan): number {
    try {
      assertAllowed({ ...plan, max: plan.deletions.length });
      return 0;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#options.note(
        printable([`Error: ${error.message}`, ...(error.hint === undefined ? [] : [error.hint])].join('. ')),
      );
      return error.exitCode;
    }
  }

  nothing({ view }: PlannedPrune, session: LeaseSession): number {
    const outcome = { backup: null, deleted: [], changed: [], failed: [], untried: [] };
    const place = placeOf(session, view.listing);
    if (this.#options.format === 'json') {
      this.result({ kind: 'PruneResult', place, outcome, restoreCommand: null, exitCode: 0 });
    }
    return 0;
  }

  result(report: RemovalReport): number {
    const { format, language, print } = this.#options;
    print(format === 'json' ? safeJson(removalDocument(report), 2) : renderRemoval(report, language));
    return report.exitCode;
  }
}
