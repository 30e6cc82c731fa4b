import type { ExitCode } from '../errors.ts';
import type { Severity } from './check.ts';
import type { Diagnosis, JudgedUnknown, RootCause } from './diagnose.ts';
import type { Outcome } from './outcome.ts';
import { judgedFacts } from './run.ts';

export interface VerdictOptions {
  readonly failOn: Severity | 'never';
  /** Unknown counts as failure. */
  readonly strict: boolean;
  /** Ids that are reported but do not count. */
  readonly suppressed: ReadonlySet<string>;
  /** Ids of the checks that were asked for: others were only run to tell causes from consequences. Default: all. */
  readonly selected?: ReadonlySet<string>;
  /** Nothing of flannel is here. */
  readonly isNotApplicable: boolean;
  readonly interruptedBy: 'SIGINT' | 'SIGTERM' | undefined;
}

export interface Verdict {
  readonly status: 'healthy' | 'problems' | 'undetermined' | 'not-applicable';
  readonly exitCode: ExitCode;
  /** Ids of the checks by which an otherwise clean run is undetermined. */
  readonly undetermined: readonly string[];
}

/** What the diagnosis amounts to: 1 wins over 2, 2 over 0; an interruption and "not applicable" over all. */
export function judge(diagnosis: Diagnosis, options: VerdictOptions): Verdict {
  const open = [...unexplained(diagnosis, options), ...unjudged(diagnosis, options)];
  const undetermined = open.filter(({ check }) => check.severity === 'error').map(({ check }) => check.id);
  const roots = diagnosis.rootCauses.filter(
    (root) => !options.suppressed.has(root.failure.outcome.check.id) && concerns(root, diagnosis, options.selected),
  );
  const counts =
    roots.some((root) => isAtOrAbove(root.failure.outcome.check.severity, options.failOn)) ||
    (options.strict && open.some(({ check }) => isAtOrAbove(check.severity, options.failOn)));
  const verdict = statusOf({ roots, counts, undetermined, diagnosis, options });
  const exitCode =
    options.interruptedBy === undefined ? verdict.exitCode : options.interruptedBy === 'SIGINT' ? 130 : 143;
  return { status: verdict.status, exitCode, undetermined };
}

interface Tally {
  readonly roots: readonly RootCause[];
  readonly counts: boolean;
  readonly undetermined: readonly string[];
  readonly diagnosis: Diagnosis;
  readonly options: VerdictOptions;
}

function statusOf({ roots, counts, undetermined, diagnosis, options }: Tally): Omit<Verdict, 'undetermined'> {
  if (options.isNotApplicable) return { status: 'not-applicable', exitCode: 3 };
  if (counts) return { status: 'problems', exitCode: 1 };
  if (undetermined.length > 0) return { status: 'undetermined', exitCode: saysNothing(diagnosis) ? 70 : 2 };
  return { status: roots.length > 0 ? 'problems' : 'healthy', exitCode: 0 };
}

/** Whether a root was asked for, or is why something that was asked for failed, could not be decided, or does not apply. */
export function concerns(
  { failure, explains }: RootCause,
  { outcomes }: Diagnosis,
  selected: ReadonlySet<string> | undefined,
): boolean {
  const { id, needs } = failure.outcome.check;
  if (selected === undefined || [id, ...explains].some((one) => selected.has(one))) return true;
  const judged: readonly (string | undefined)[] = judgedFacts(needs);
  return outcomes.some(
    (outcome) =>
      outcome.status === 'not-applicable' &&
      outcome.absent !== undefined &&
      selected.has(outcome.check.id) &&
      judged.includes(outcome.absent),
  );
}

function isAtOrAbove(severity: Severity, failOn: Severity | 'never'): boolean {
  return failOn !== 'never' && (failOn === 'warning' || severity === 'error');
}

function unexplained({ unknowns }: Diagnosis, options: VerdictOptions): readonly Outcome[] {
  return unknowns
    .filter(({ causes, outcome }) => causes.length === 0 && isCounted(outcome, options))
    .map(({ outcome }) => outcome);
}

/** A check was set aside because something is absent, and no check of this run says what that absence means. */
function unjudged({ outcomes }: Diagnosis, options: VerdictOptions): readonly Outcome[] {
  return outcomes.filter(
    (outcome) => outcome.status === 'not-applicable' && outcome.unjudged !== undefined && isCounted(outcome, options),
  );
}

function isCounted({ check }: Outcome, { suppressed, selected }: VerdictOptions): boolean {
  return !suppressed.has(check.id) && (selected === undefined || selected.has(check.id));
}

/** Every check that was decided crashed. */
function saysNothing({ outcomes, unknowns }: Diagnosis): boolean {
  const isDecided = outcomes.some(({ status }) => status === 'pass' || status === 'fail');
  return !isDecided && unknowns.every((unknown: JudgedUnknown) => unknown.outcome.reason === 'crash');
}
