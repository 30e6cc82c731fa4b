import type { UnknownReason } from '../errors.ts';
import type { AnyCheck, Finding, NonEmpty } from './check.ts';

/** What one check came to. `durationMs`: from the start of its facts to its verdict. */
export type Outcome = PassOutcome | FailOutcome | UnknownOutcome | NotApplicableOutcome;

interface OutcomeBase {
  readonly check: AnyCheck;
  readonly durationMs: number;
}

export interface PassOutcome extends OutcomeBase {
  readonly status: 'pass';
}

export interface FailOutcome extends OutcomeBase {
  readonly status: 'fail';
  readonly findings: NonEmpty<Finding>;
}

export interface UnknownOutcome extends OutcomeBase {
  readonly status: 'unknown';
  readonly reason: UnknownReason;
  readonly detail: string;
}

export interface NotApplicableOutcome extends OutcomeBase {
  readonly status: 'not-applicable';
  readonly detail: string;
  /** Name of the fact whose absence has to be judged by some check; `undefined`: its absence is in order, or nothing is absent. */
  readonly absent?: string | undefined;
  /** Name of a fact that is absent and whose absence none of the checks of this run judges; `undefined`: all is accounted for. */
  readonly unjudged: string | undefined;
}
