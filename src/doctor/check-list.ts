import type { AnyCheck, Check, Group, Severity } from './check.ts';
import type { Language } from './report.ts';

/** The document of `checks -o json`. */
export interface CheckList {
  readonly apiVersion: 'flannelctl.dev/v1';
  readonly kind: 'CheckList';
  readonly checks: readonly ListedCheck[];
}

export interface ListedCheck {
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly severity: Severity;
  /** Names of the facts it reads. */
  readonly needs: readonly string[];
  /** Whether `--fix` can repair it: `yes` without asking, `ask`, `no`. */
  readonly repair: 'yes' | 'ask' | 'no';
  /** `drill`: injected for real and found; `recorded`: cannot be injected. */
  readonly proof: 'drill' | 'recorded';
}

export function listChecks(checks: readonly AnyCheck[], language: Language): CheckList {
  return {
    apiVersion: 'flannelctl.dev/v1',
    kind: 'CheckList',
    checks: checks.map((check) => listCheck(check, language)),
  };
}

function listCheck(check: Check, language: Language): ListedCheck {
  return {
    id: check.id,
    group: check.group,
    title: check.say[language].title,
    severity: check.severity,
    needs: Object.values(check.needs).map((need) => factName(need)),
    repair: check.repair,
    proof: check.proof === 'drill' ? 'drill' : 'recorded',
  };
}

function factName(need: Check['needs'][string]): string {
  if ('optional' in need) return need.optional.name;
  return 'judged' in need ? need.judged.name : need.name;
}
