import { type Check, defineCheck, type Edge, type Finding, type Needs, type Subject } from '../../src/doctor/check.ts';
import type { FailOutcome, Outcome, UnknownOutcome } from '../../src/doctor/outcome.ts';
import { defineFact, type Fact } from '../../src/facts/fact.ts';

const SAY = {
  title: 'it holds',
  summary: (values: readonly unknown[]) => `${values.length} found`,
  remedy: () => 'mend it',
};

/** A check that finds what it is told to; names only what matters to a test. */
export function aCheck(id: string, parts: Partial<Check<Needs, string>> = {}): Check<Needs, string> {
  return defineCheck<Needs, string>({
    id,
    group: 'peers',
    severity: 'error',
    repair: 'no',
    needs: {},
    say: { en: SAY, zh: SAY },
    proof: { recorded: 'a test' },
    evaluate: () => [],
    ...parts,
  });
}

export function aFinding(...about: [Subject, ...Subject[]]): Finding<string> {
  return { values: about.join(), about, evidence: [{ what: 'seen', observed: about.join(), source: 'true' }] };
}

export function failed(check: Check<Needs, string>, ...findings: [Finding<string>, ...Finding<string>[]]): FailOutcome {
  return { check, status: 'fail', findings, durationMs: 1 };
}

export function passed(check: Check<Needs, string>): Outcome {
  return { check, status: 'pass', durationMs: 1 };
}

export function undecided(check: Check<Needs, string>, detail = 'no answer'): UnknownOutcome {
  return { check, status: 'unknown', reason: 'timeout', detail, durationMs: 1 };
}

/** An edge that always holds. */
export function edgeFrom(id: string, parts: Partial<Edge<string>> = {}): Edge<string> {
  return { id, because: () => ({ en: `because of ${id}`, zh: id }), ...parts };
}

export function aFact<T>(name: string, collect: Fact<T>['collect'], parts: Partial<Fact<T>> = {}): Fact<T> {
  return defineFact<T>({ name, cost: 'passive', timeoutMs: 1000, collect, ...parts });
}
