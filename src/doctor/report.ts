import type { ExitCode, UnknownReason } from '../errors.ts';
import type { Check, Finding, Group, NonEmpty, Severity, Text } from './check.ts';
import type { Cause, Diagnosis, JudgedFailure } from './diagnose.ts';
import { tellEvidence, tellFact, tellQuoting } from './in-chinese.ts';
import type { Outcome } from './outcome.ts';
import { concerns, type Verdict } from './verdict.ts';

export type Language = keyof Text;

/** The document of `doctor -o json`, and what every other format is made from. Version 1 only grows. */
export interface DoctorReport {
  readonly apiVersion: 'flannelctl.dev/v1';
  readonly kind: 'DoctorReport';
  readonly tool: { readonly name: 'flannelctl'; readonly version: string };
  readonly run: RunSection;
  readonly host: { readonly name: string; readonly kernel: string; readonly os: string; readonly arch: string };
  readonly flannel: FlannelSection;
  readonly verdict: { readonly status: Verdict['status']; readonly exitCode: ExitCode };
  readonly summary: SummarySection;
  readonly rootCauses: readonly { readonly id: string; readonly consequences: readonly string[] }[];
  readonly checks: readonly CheckSection[];
  readonly fixes: readonly FixSection[];
  readonly errors: readonly string[];
}

export interface RunSection {
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** False when it was interrupted. */
  readonly complete: boolean;
  readonly source: 'live' | 'recorded';
  readonly probe: 'active' | 'passive';
}

/** What is known of flannel here; `null`: not known. */
export interface FlannelSection {
  readonly deployment: string;
  readonly version: string | null;
  readonly subnetManager: 'etcd' | 'kube' | 'unknown';
  readonly backend: string | null;
  readonly vni: number | null;
  readonly port: number | null;
  readonly iface: string | null;
  readonly publicIP: string | null;
  readonly network: string | null;
  readonly subnet: string | null;
  readonly peers: number | null;
}

export interface SummarySection {
  readonly pass: number;
  readonly fail: number;
  readonly unknown: number;
  readonly notApplicable: number;
  readonly suppressed: number;
  readonly roots: number;
  readonly consequences: number;
}

export interface CheckSection {
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly status: Outcome['status'];
  readonly severity: Severity;
  /** `none` unless it failed. */
  readonly role: 'root' | 'consequence' | 'none';
  readonly causedBy: readonly { readonly id: string; readonly because: string }[];
  readonly suppressed: boolean;
  readonly durationMs: number;
  readonly summary: string;
  readonly evidence: Finding['evidence'] | readonly [];
  /** Whom the findings are about. */
  readonly about: readonly string[];
  readonly remedy?: RemedySection;
  readonly unknown?: { readonly reason: UnknownReason; readonly detail: string };
  /** True where this check keeps the whole from being called healthy: nobody knows, and no root cause explains why. */
  readonly undetermined?: true;
}

export interface RemedySection {
  readonly text: string;
  readonly commands: readonly string[];
  readonly automatic: 'yes' | 'ask' | 'no';
  /** Whether `--fix` can carry it out. */
  readonly repairable: boolean;
  readonly risk: string;
}

export interface FixSection {
  readonly check: string;
  /** What was done, as commands the reader could have typed. */
  readonly actions: readonly string[];
  readonly status: 'applied' | 'failed';
  readonly message?: string;
}

export interface ReportInput {
  readonly diagnosis: Diagnosis;
  readonly verdict: Verdict;
  readonly language: Language;
  readonly suppressed: ReadonlySet<string>;
  /** Ids to show although they were not asked for do not exist: these were asked for. */
  readonly selected: ReadonlySet<string>;
  readonly version: string;
  readonly run: RunSection;
  readonly host: DoctorReport['host'];
  readonly flannel: FlannelSection;
  readonly fixes: readonly FixSection[];
  readonly errors: readonly string[];
}

/** Pure. Shown are the checks that were asked for and those that explain one of them. */
export function buildReport(input: ReportInput): DoctorReport {
  const checks = input.diagnosis.outcomes
    .map((outcome) => checkSection(outcome, input))
    .filter((check) => isShown(check, input));
  const shown = new Set(checks.map(({ id }) => id));
  const rootCauses = input.diagnosis.rootCauses
    .map(({ failure, explains }) => ({
      id: failure.outcome.check.id,
      consequences: explains.filter((id) => shown.has(id)),
    }))
    .filter(({ id }) => shown.has(id));
  return {
    apiVersion: 'flannelctl.dev/v1',
    kind: 'DoctorReport',
    tool: { name: 'flannelctl', version: input.version },
    run: input.run,
    host: input.host,
    flannel: input.flannel,
    verdict: { status: input.verdict.status, exitCode: input.verdict.exitCode },
    summary: summarise(checks),
    rootCauses,
    checks,
    fixes: input.fixes,
    errors: [...input.errors, ...input.diagnosis.crashes],
  };
}

function isShown({ id }: CheckSection, { selected, diagnosis }: ReportInput): boolean {
  const root = diagnosis.rootCauses.find(({ failure }) => failure.outcome.check.id === id);
  return selected.has(id) || (root !== undefined && concerns(root, diagnosis, selected));
}

function checkSection(outcome: Outcome, input: ReportInput): CheckSection {
  const { check, status, durationMs } = outcome;
  const base = {
    id: check.id,
    group: check.group,
    title: check.say[input.language].title,
    status,
    severity: check.severity,
    role: 'none' as const,
    causedBy: [],
    suppressed: input.suppressed.has(check.id),
    durationMs,
    evidence: [] as const,
    about: [],
    ...(input.verdict.undetermined.includes(check.id) ? { undetermined: true as const } : {}),
  };
  switch (outcome.status) {
    case 'pass':
      return { ...base, summary: base.title };
    case 'not-applicable':
      return { ...base, summary: tellFact(outcome.detail, input.language) };
    case 'unknown': {
      const causes = input.diagnosis.unknowns.find((unknown) => unknown.outcome === outcome)?.causes ?? [];
      const detail = tellFact(outcome.detail, input.language);
      const unknown = { reason: outcome.reason, detail };
      return { ...base, summary: detail, causedBy: tell(causes, input.language), unknown };
    }
    case 'fail': {
      const failure = input.diagnosis.failures.find((one) => one.outcome === outcome);
      return failure === undefined ? { ...base, summary: '' } : { ...base, ...failureSection(failure, input.language) };
    }
  }
}

type Told = Pick<CheckSection, 'role' | 'causedBy' | 'summary' | 'evidence' | 'about' | 'remedy'>;

function failureSection(failure: JudgedFailure, language: Language): Told {
  const { check } = failure.outcome;
  const findings = toldFindings(failure);
  const values = findings.map((finding) => finding.values);
  const remedy = remedySection(check, findings, language);
  return {
    role: failure.role,
    causedBy: failure.role === 'consequence' ? tell(failure.causes, language) : [],
    summary: tellQuoting(check.say[language].summary(nonEmpty(values)), language),
    evidence: nonEmpty(findings.flatMap((finding) => finding.evidence).map((item) => tellEvidence(item, language))),
    about: [...new Set(findings.flatMap((finding) => finding.about))],
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/** A root tells only of what nothing else explains. */
export function toldFindings({ role, findings }: JudgedFailure): NonEmpty<Finding> {
  const told = role === 'root' ? findings.filter(({ unexplained }) => unexplained.length > 0) : findings;
  return nonEmpty(
    told.map(({ finding, unexplained }) => (role === 'root' ? { ...finding, about: nonEmpty(unexplained) } : finding)),
  );
}

function remedySection(check: Check, findings: NonEmpty<Finding>, language: Language): RemedySection | undefined {
  const remedied = findings.filter((finding) => finding.remedy !== undefined);
  const remedies = remedied.flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy]));
  const [first] = remedies;
  if (first === undefined) return undefined;
  return {
    text: check.say[language].remedy(nonEmpty(remedied.map((finding) => finding.values))),
    commands: [...new Set(remedies.flatMap((remedy) => remedy.commands))],
    automatic: leastAutomatic(remedies.map((remedy) => remedy.automatic)),
    repairable: remedies.every((remedy) => remedy.actions.length > 0),
    risk: first.risk[language],
  };
}

function leastAutomatic(levels: readonly RemedySection['automatic'][]): RemedySection['automatic'] {
  if (levels.includes('no')) return 'no';
  return levels.includes('ask') ? 'ask' : 'yes';
}

function tell(causes: readonly Cause[], language: Language): CheckSection['causedBy'] {
  return causes.map(({ id, because }) => ({ id, because: because[language] }));
}

function summarise(checks: readonly CheckSection[]): SummarySection {
  const count = (holds: (check: CheckSection) => boolean) => checks.filter(holds).length;
  return {
    pass: count(({ status }) => status === 'pass'),
    fail: count(({ status }) => status === 'fail'),
    unknown: count(({ status }) => status === 'unknown'),
    notApplicable: count(({ status }) => status === 'not-applicable'),
    suppressed: count(({ suppressed }) => suppressed),
    roots: count(({ role }) => role === 'root'),
    consequences: count(({ role }) => role === 'consequence'),
  };
}

/** @throws {TypeError} for an empty list, which would be a bug: a failure has findings and a finding has subjects. */
function nonEmpty<T>(items: readonly T[]): NonEmpty<T> {
  const [first, ...rest] = items;
  if (first === undefined) throw new TypeError('a failure without a finding');
  return [first, ...rest];
}
