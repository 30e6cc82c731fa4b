import type { AnyCheck, Finding, Subject, Text } from './check.ts';
import type { FailOutcome, Outcome, UnknownOutcome } from './outcome.ts';

/** A direct cause of one finding, and why. */
export interface Cause {
  readonly id: string;
  readonly because: Text;
}

/** A finding with those of its subjects that nothing else explains; none left: it is a consequence. */
export interface JudgedFinding {
  readonly finding: Finding;
  readonly unexplained: readonly Subject[];
  readonly causes: readonly Cause[];
}

export interface JudgedFailure {
  readonly outcome: FailOutcome;
  readonly role: 'root' | 'consequence';
  readonly findings: readonly JudgedFinding[];
  /** Without repetition. */
  readonly causes: readonly Cause[];
}

/** A check that could not be decided, and the failures that explain why; none: it stays undetermined. */
export interface JudgedUnknown {
  readonly outcome: UnknownOutcome;
  readonly causes: readonly Cause[];
}

export interface RootCause {
  readonly failure: JudgedFailure;
  /** Ids of failing checks and unknowns that follow from it, directly or through others, in the order of the outcomes. */
  readonly explains: readonly string[];
}

export interface Diagnosis {
  readonly rootCauses: readonly RootCause[];
  readonly failures: readonly JudgedFailure[];
  readonly unknowns: readonly JudgedUnknown[];
  readonly outcomes: readonly Outcome[];
  /** Edges that crashed and were taken as not holding: bugs. */
  readonly crashes: readonly string[];
}

/**
 * Tells root causes from consequences. An edge holds per subject: a finding is explained for a subject when the cause is about that
 * subject or about the whole node, and the edge's `because` says that the cause's evidence predicts it. What is left over stays a root.
 */
export function diagnose(outcomes: readonly Outcome[]): Diagnosis {
  const failed = new Map(
    outcomes.flatMap((outcome) => (outcome.status === 'fail' ? [[outcome.check.id, outcome]] : [])),
  );
  const evidence: Evidence = { failed, crashes: new Set() };
  const failures = [...failed.values()].map((outcome) => judgeFailure(outcome, evidence));
  const unknowns = outcomes.flatMap((outcome) =>
    outcome.status === 'unknown' ? [judgeUnknown(outcome, evidence)] : [],
  );
  const followers = followersOf(failures, unknowns);
  const rootCauses = failures
    .filter((failure) => failure.role === 'root')
    .map((failure) => ({ failure, explains: inOrder(reachable(idOf(failure), followers), outcomes) }));
  return { rootCauses: rootCauses.toSorted(byWeight), failures, unknowns, outcomes, crashes: [...evidence.crashes] };
}

interface Evidence {
  readonly failed: ReadonlyMap<string, FailOutcome>;
  readonly crashes: Set<string>;
}

function judgeFailure(outcome: FailOutcome, evidence: Evidence): JudgedFailure {
  const findings = outcome.findings.map((finding) => judgeFinding(outcome.check, finding, evidence));
  const isRoot = findings.some((finding) => finding.unexplained.length > 0);
  return {
    outcome,
    role: isRoot ? 'root' : 'consequence',
    findings,
    causes: distinct(findings.flatMap((finding) => finding.causes)),
  };
}

function judgeFinding(check: AnyCheck, finding: Finding, evidence: Evidence): JudgedFinding {
  const causes: Cause[] = [];
  const unexplained = finding.about.filter((subject) => {
    const found = causesOf({ check, finding, subject, evidence });
    causes.push(...found);
    return found.length === 0;
  });
  return { finding, unexplained, causes: distinct(causes) };
}

interface Suspect {
  readonly check: AnyCheck;
  readonly finding: Finding;
  readonly subject: Subject;
  readonly evidence: Evidence;
}

function causesOf({ check, finding, subject, evidence }: Suspect): readonly Cause[] {
  return (check.causedBy ?? []).flatMap((edge) =>
    (evidence.failed.get(edge.id)?.findings ?? [])
      .filter((cause) => cause.about.includes(subject) || cause.about.includes('node'))
      .flatMap((cause) => causeFrom({ from: edge.id, to: check.id, evidence }, () => edge.because(cause, finding))),
  );
}

function judgeUnknown(outcome: UnknownOutcome, evidence: Evidence): JudgedUnknown {
  const causes = (outcome.check.causedBy ?? []).flatMap((edge) =>
    (evidence.failed.get(edge.id)?.findings ?? []).flatMap((cause) =>
      causeFrom({ from: edge.id, to: outcome.check.id, evidence }, () => edge.whenUnknown?.(cause, outcome.detail)),
    ),
  );
  return { outcome, causes: distinct(causes) };
}

function causeFrom(
  { from, to, evidence }: { from: string; to: string; evidence: Evidence },
  ask: () => Text | undefined,
): readonly Cause[] {
  try {
    const because = ask();
    return because === undefined ? [] : [{ id: from, because }];
  } catch (error) {
    evidence.crashes.add(
      `the edge from ${from} to ${to} crashed: ${error instanceof Error ? error.message : String(error)}`,
    );
    return [];
  }
}

function distinct(causes: readonly Cause[]): readonly Cause[] {
  return [...new Map(causes.map((cause) => [cause.id, cause])).values()];
}

/** From each failing check to the consequences and unknowns that name it as a cause. */
function followersOf(
  failures: readonly JudgedFailure[],
  unknowns: readonly JudgedUnknown[],
): ReadonlyMap<string, string[]> {
  const followers = new Map<string, string[]>();
  for (const { outcome, causes } of [...failures.filter(({ role }) => role === 'consequence'), ...unknowns]) {
    for (const { id } of causes) followers.set(id, [...(followers.get(id) ?? []), outcome.check.id]);
  }
  return followers;
}

function reachable(start: string, followers: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const seen = new Set<string>();
  const pending = [...(followers.get(start) ?? [])];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    pending.push(...(followers.get(id) ?? []));
  }
  return seen;
}

function inOrder(ids: ReadonlySet<string>, outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map(({ check }) => check.id).filter((id) => ids.has(id));
}

function byWeight(a: RootCause, b: RootCause): number {
  return (
    Number(severityOf(b) === 'error') - Number(severityOf(a) === 'error') ||
    b.explains.length - a.explains.length ||
    idOf(a.failure).localeCompare(idOf(b.failure))
  );
}

function severityOf(root: RootCause): string {
  return root.failure.outcome.check.severity;
}

function idOf(failure: JudgedFailure): string {
  return failure.outcome.check.id;
}
