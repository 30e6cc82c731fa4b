import type { ExitCode } from '../errors.ts';
import type { Severity } from './check.ts';
import type { Diagnosis, JudgedUnknown, RootCause } from './diagnose.ts';

export interface VerdictOptions {
  readonly failOn: Severity | 'never';
  /** Unknown counts as failure. */
  readonly strict: boolean;
  /** Ids that are reported but do not count. */
  readonly suppressed: ReadonlySet<string>;
  /** Nothing of flannel is here. */
  readonly isNotApplicable: boolean;
  readonly interruptedBy: 'SIGINT' | 'SIGTERM' | undefined;
}

export interface Verdict {
  readonly status: 'healthy' | 'problems' | 'undetermined' | 'not-applicable';
  readonly exitCode: ExitCode;
  /** Why an otherwise clean run is undetermined, one line each. */
  readonly undetermined: readonly string[];
}

/** What the diagnosis amounts to: 1 wins over 2, 2 over 0; an interruption and "not applicable" over all. */
export function judge(diagnosis: Diagnosis, options: VerdictOptions): Verdict {
  const undetermined = [...unexplained(diagnosis, options), ...unjudged(diagnosis, options)];
  const roots = diagnosis.rootCauses.filter((root) => !options.suppressed.has(root.failure.outcome.check.id));
  const counts = roots.some((root) => isAtOrAbove(root, options.failOn)) || (options.strict && undetermined.length > 0);
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

function isAtOrAbove(root: RootCause, failOn: Severity | 'never'): boolean {
  const { severity } = root.failure.outcome.check;
  return failOn !== 'never' && (failOn === 'warning' || severity === 'error');
}

function unexplained({ unknowns }: Diagnosis, { suppressed }: VerdictOptions): readonly string[] {
  return unknowns
    .filter(
      ({ causes, outcome }) =>
        causes.length === 0 && outcome.check.severity === 'error' && !suppressed.has(outcome.check.id),
    )
    .map(({ outcome }) => `${outcome.check.id}: ${outcome.detail}`);
}

/** A check was set aside because something is absent, and no check of this run says what that absence means. */
function unjudged({ outcomes }: Diagnosis, { suppressed }: VerdictOptions): readonly string[] {
  return outcomes.flatMap((outcome) =>
    outcome.status === 'not-applicable' &&
    outcome.unjudged !== undefined &&
    outcome.check.severity === 'error' &&
    !suppressed.has(outcome.check.id)
      ? [`${outcome.check.id}: ${outcome.detail}`]
      : [],
  );
}

/** Every check that was decided crashed. */
function saysNothing({ outcomes, unknowns }: Diagnosis): boolean {
  const isDecided = outcomes.some(({ status }) => status === 'pass' || status === 'fail');
  return !isDecided && unknowns.every((unknown: JudgedUnknown) => unknown.outcome.reason === 'crash');
}
