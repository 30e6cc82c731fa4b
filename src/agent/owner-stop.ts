import { FlannelctlError } from '../errors.ts';
import { findUnit } from '../facts/discover-units.ts';
import type { ProcessInfo } from '../facts/processes.ts';
import { programIndex } from '../facts/program-name.ts';
import type { Host } from '../host/host.ts';
import { shellWord } from '../shell-word.ts';

/** How an owner of the overlay is stopped so that it stays stopped. */
export type StopWay =
  | { readonly kind: 'unit'; readonly unit: string }
  | { readonly kind: 'process'; readonly pid: number }
  /** It is not ours to stop. `why` begins with its name. */
  | { readonly kind: 'refused'; readonly why: string; readonly hint: string };

export async function stopWayOf(host: Host, owner: ProcessInfo): Promise<StopWay> {
  const what = `${owner.name} (pid ${owner.pid})`;
  if (owner.name !== 'flanneld') {
    const why = `${what} brings flannel along and is not stopped for it`;
    return { kind: 'refused', why, hint: await withoutFlannel(host, owner) };
  }
  if (owner.cgroup === 'kubepods') {
    const hint = `Take this node out of it first: ${await exclude(host)}`;
    return { kind: 'refused', why: `${what} is of a DaemonSet, which would start it again`, hint };
  }
  const isUnit = await isUnitOf(host, owner);
  return isUnit ? { kind: 'unit', unit: owner.cgroup } : { kind: 'process', pid: owner.pid };
}

/** What a person does first. */
export function hintOf(way: StopWay, owner: ProcessInfo): string {
  switch (way.kind) {
    case 'unit':
      return `Stop it first: systemctl stop ${way.unit}, or take its place: ${takeoverCommand(owner)}`;
    case 'process':
      return `Stop it first: kill ${way.pid}, or take its place: ${takeoverCommand(owner)}`;
    case 'refused':
      return way.hint;
  }
}

/** With the flags that a flanneld was started with, which are ours too. Secrets in them are masked. */
export function takeoverCommand({ argv }: ProcessInfo): string {
  return ['flannelctl up --takeover', ...argv.slice(programIndex(argv) + 1).map(shellWord)].join(' ');
}

/** A unit that it merely runs in (a login, cron, a container runtime) has more to do than flanneld. */
async function isUnitOf(host: Host, { pid, cgroup }: ProcessInfo): Promise<boolean> {
  if (!cgroup.endsWith('.service')) return false;
  if ((await findUnit(host, cgroup))?.program === 'flanneld') return true;
  try {
    const { exitCode, stdout } = await host.exec(['systemctl', 'show', '--property=MainPID', '--value', cgroup]);
    return exitCode === 0 && Number(stdout.trim()) === pid;
  } catch (error) {
    if (error instanceof FlannelctlError) return false;
    throw error;
  }
}

async function withoutFlannel(host: Host, { name, argv, cgroup }: ProcessInfo): Promise<string> {
  const restart = `systemctl restart ${cgroup.endsWith('.service') ? cgroup : name}`;
  if (name === 'rke2') {
    return `Take this node out of its DaemonSet: ${await excludeFromCanal(host)}; put "cni: none" into /etc/rancher/rke2/config.yaml; then: ${restart}`;
  }
  const servers = 'Put "flannel-backend: none" into /etc/rancher/k3s/config.yaml of the servers and restart them';
  // An agent writes it only where its server runs flannel, and leaves it where it once did.
  const isAgent = /(^|\s)agent(\s|$)|k3s-agent/.test(argv.join(' '));
  return `${servers}; then on this node: ${isAgent ? 'rm /var/lib/rancher/k3s/agent/etc/flannel/net-conf.json; ' : ''}${restart}`;
}

async function nodeTerm(host: Host) {
  return { key: 'kubernetes.io/hostname', operator: 'NotIn', values: [(await host.identity()).hostname] };
}

/** The shipped manifest has one node selector term, for the operating system (kube-flannel.yml). */
async function exclude(host: Host): Promise<string> {
  const path =
    '/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions/-';
  const patch = [{ op: 'add', path, value: await nodeTerm(host) }];
  return `kubectl -n kube-flannel patch daemonset kube-flannel-ds --type=json -p '${JSON.stringify(patch)}'`;
}

/** rke2's chart has no affinity. */
async function excludeFromCanal(host: Host): Promise<string> {
  const nodeSelectorTerms = [{ matchExpressions: [await nodeTerm(host)] }];
  const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
  const patch = { spec: { template: { spec: { affinity: { nodeAffinity } } } } };
  return `kubectl -n kube-system patch daemonset rke2-canal --type=merge -p '${JSON.stringify(patch)}'`;
}
