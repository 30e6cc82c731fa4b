import type { CheckSection, DoctorReport, FlannelSection } from '../doctor/report.ts';
import { printable } from './printable.ts';
import type { Words } from './words.ts';

/** One line of evidence as columns. */
export interface EvidenceRow {
  readonly what: string;
  readonly observed: string;
  /** `''`: nothing was expected. */
  readonly expected: string;
  readonly source: string;
}

export interface GroupTally {
  readonly group: string;
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly unknown: number;
  readonly notApplicable: number;
  /** Whether one of the failures has severity error. */
  readonly hasError: boolean;
}

/** A root cause with the checks that follow from it, ready to be laid out. */
export interface RootView {
  readonly check: CheckSection;
  readonly evidence: readonly EvidenceRow[];
  readonly consequences: readonly CheckSection[];
}

/** `worker-3 · flanneld v0.27.4 (etcd) · vxlan VNI 1, udp/8472 on eth0 192.168.10.13 · subnet 10.244.7.0/24 · 12 peers`. */
export function headline({ host, flannel }: DoctorReport, words: Words): string {
  const parts = [host.name, deploymentOf(flannel), tunnelOf(flannel, words)];
  if (flannel.subnet !== null) parts.push(words.subnet(flannel.subnet));
  if (flannel.peers !== null) parts.push(words.peers(flannel.peers));
  return printable(parts.filter((part) => part !== '').join(' · '));
}

function deploymentOf({ deployment, version, subnetManager }: FlannelSection): string {
  if (deployment === 'none') return 'flannel';
  const name = deployment === 'process' || deployment === 'systemd' ? 'flanneld' : deployment;
  return `${[name, version].filter((part) => part !== null).join(' ')} (${subnetManager})`;
}

function tunnelOf({ backend, vni, port, iface, publicIP }: FlannelSection, words: Words): string {
  if (backend === null && iface === null) return '';
  const isVxlan = backend === 'vxlan';
  const tunnel = [
    backend ?? '',
    isVxlan && vni !== null ? ` VNI ${vni}` : '',
    isVxlan && port !== null ? `, udp/${port}` : '',
  ].join('');
  const underlay = [iface, publicIP].filter((part) => part !== null).join(' ');
  return underlay === '' || tunnel === '' ? `${tunnel}${underlay}` : `${tunnel}${words.over(underlay)}`;
}

/** Groups in the order of their first check. */
export function tallyGroups(report: DoctorReport): readonly GroupTally[] {
  const groups = Map.groupBy(report.checks, ({ group }) => group);
  return [...groups].map(([group, checks]) => {
    const count = (status: CheckSection['status']) => checks.filter((check) => check.status === status).length;
    const hasError = checks.some(({ status, severity }) => status === 'fail' && severity === 'error');
    return {
      group,
      total: checks.length - count('not-applicable'),
      passed: count('pass'),
      failed: count('fail'),
      unknown: count('unknown'),
      notApplicable: count('not-applicable'),
      hasError,
    };
  });
}

/** Why something could not be decided, and which checks that leaves open. */
export interface UnknownView {
  readonly detail: string;
  readonly checks: readonly CheckSection[];
}

export function rootViews(report: DoctorReport): readonly RootView[] {
  const byId = new Map(report.checks.map((check) => [check.id, check]));
  return report.rootCauses.flatMap(({ id, consequences }) => {
    const check = byId.get(id);
    const followers = consequences.flatMap((one) => byId.get(one) ?? []);
    return check === undefined ? [] : [{ check, evidence: evidenceRows(check), consequences: followers }];
  });
}

/** Checks that nobody could decide and no root explains, those together that say the same. */
export function openUnknowns(report: DoctorReport): readonly UnknownView[] {
  const open = report.checks.filter(
    ({ status, causedBy, undetermined }) => undetermined === true || (status === 'unknown' && causedBy.length === 0),
  );
  return [...Map.groupBy(open, ({ summary }) => summary)].map(([detail, checks]) => ({ detail, checks }));
}

/** Whether somebody with more rights would have seen more. */
export function lacksPermission(report: DoctorReport): boolean {
  return report.checks.some(({ unknown }) => unknown?.reason === 'permission');
}

export function evidenceRows({ evidence }: CheckSection): readonly EvidenceRow[] {
  return evidence.map((item) => ({
    what: printable(item.what),
    observed: printable(String(item.observed)),
    expected: item.expected === undefined ? '' : printable(String(item.expected)),
    source: printable(item.source),
  }));
}
