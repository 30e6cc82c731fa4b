import type { Fact, Observed } from '../facts/fact.ts';
import type { FactStore } from '../facts/fact-store.ts';
import type { Clock } from '../host/clock.ts';
import type { AnyCheck, Finding, Needs } from './check.ts';
import type { NotApplicableOutcome, Outcome } from './outcome.ts';

export interface RunOptions {
  readonly checks: readonly AnyCheck[];
  readonly facts: FactStore;
  readonly clock: Clock;
  /** Called as each check is decided, in no particular order. */
  readonly onOutcome?: (outcome: Outcome) => void;
  /** Why a check does not apply on this host at all; `undefined`: it does. */
  readonly setAside?: (check: AnyCheck) => string | undefined;
}

/** Decides every check; one that crashes is `unknown` and leaves the others alone. In the order of `checks`. */
export async function runChecks(options: RunOptions): Promise<readonly Outcome[]> {
  const outcomes = await Promise.all(
    options.checks.map(async (check) => {
      const startedAt = options.clock.monotonic();
      const decision = await decide(check, options);
      const outcome: Outcome = { ...decision, check, durationMs: Math.round(options.clock.monotonic() - startedAt) };
      options.onOutcome?.(outcome);
      return outcome;
    }),
  );
  return accountForAbsences(outcomes);
}

/** An absence is judged only by a check that applies here itself. */
function accountForAbsences(outcomes: readonly Outcome[]): readonly Outcome[] {
  const deciding = outcomes.filter(({ status }) => status !== 'not-applicable');
  const judged = new Set(deciding.flatMap(({ check }) => judgedFacts(check.needs)));
  return outcomes.map((outcome) =>
    outcome.status === 'not-applicable' && outcome.unjudged !== undefined && judged.has(outcome.unjudged)
      ? { ...outcome, unjudged: undefined }
      : outcome,
  );
}

type Decision = WithoutBase<Outcome>;
type WithoutBase<T> = T extends Outcome ? Omit<T, 'check' | 'durationMs'> : never;

async function decide(check: AnyCheck, options: RunOptions): Promise<Decision> {
  const setAside = options.setAside?.(check);
  if (setAside !== undefined) return { status: 'not-applicable', detail: setAside, unjudged: undefined };
  const needs = await observeNeeds(check.needs, options.facts);
  const absent = needs.find((need) => need.kind === 'needed' && need.observed.status === 'absent');
  if (absent?.observed.status === 'absent') {
    const origin = await options.facts.originOfAbsence(absent.fact);
    return notApplicable(origin ?? absent.fact, absent.observed.detail);
  }
  for (const { kind, observed } of needs) {
    if (kind !== 'optional' && observed.status === 'unknown') return observed;
  }
  return evaluate(check, needs);
}

interface ObservedNeed {
  readonly name: string;
  readonly kind: 'needed' | 'judged' | 'optional';
  readonly fact: Fact<unknown>;
  readonly observed: Observed<unknown>;
}

async function observeNeeds(needs: Needs, facts: FactStore): Promise<readonly ObservedNeed[]> {
  return Promise.all(
    Object.entries(needs).map(async ([name, need]) => {
      const { kind, fact } = unwrap(need);
      return { name, kind, fact, observed: await facts.observe(fact) };
    }),
  );
}

function unwrap(need: Needs[string]): Pick<ObservedNeed, 'kind' | 'fact'> {
  if ('optional' in need) return { kind: 'optional', fact: need.optional };
  return 'judged' in need ? { kind: 'judged', fact: need.judged } : { kind: 'needed', fact: need };
}

/** The facts without which a check cannot be decided. */
export function requiredFacts(needs: Needs): readonly Fact<unknown>[] {
  return Object.values(needs).flatMap((need) => {
    const { kind, fact } = unwrap(need);
    return kind === 'optional' ? [] : [fact];
  });
}

/** Names of the facts whose absence a check judges. */
export function judgedFacts(needs: Needs): readonly string[] {
  return Object.values(needs).flatMap((need) => ('judged' in need ? [need.judged.name] : []));
}

function notApplicable(fact: Fact<unknown>, detail: string): Omit<NotApplicableOutcome, 'check' | 'durationMs'> {
  const absent = factToJudge(fact);
  return { status: 'not-applicable', detail, absent, unjudged: absent };
}

/** Name of the fact that somebody has to judge where this one is absent; `undefined`: its absence is in order. */
function factToJudge({ name, absence }: Fact<unknown>): string | undefined {
  if (absence === undefined) return name;
  return absence !== 'never' && 'follows' in absence ? absence.follows : undefined;
}

function evaluate(check: AnyCheck, needs: readonly ObservedNeed[]): Decision {
  const facts = Object.fromEntries(needs.map((need) => [need.name, argumentOf(need)]));
  try {
    const [first, ...rest]: readonly Finding[] = check.evaluate(facts);
    return first === undefined ? { status: 'pass' } : { status: 'fail', findings: [first, ...rest] };
  } catch (error) {
    return { status: 'unknown', reason: 'crash', detail: `${check.id} crashed: ${messageOf(error)}` };
  }
}

function argumentOf({ kind, observed }: ObservedNeed): unknown {
  return kind === 'needed' && observed.status === 'known' ? observed.value : observed;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
