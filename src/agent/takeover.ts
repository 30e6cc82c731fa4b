import { ConflictError, type FlannelctlError } from '../errors.ts';
import type { ProcessInfo } from '../facts/processes.ts';
import type { AgentParts } from './board.ts';
import { findOwner, refuseOwner } from './owner.ts';

/** flanneld ends within a second; a unit may have others to stop with it. */
const STOP_MS = 20_000;
const LOOK_MS = 100;

/**
 * Stops whoever runs flanneld here, so that it stays stopped. flanneld leaves link, routes and entries as they are when it ends, so no
 * packet is lost; we go on with the same device and the same lease.
 *
 * @throws {ConflictError} when it is not ours to stop: then nothing was done, and the hint says how the node is taken out of it.
 */
export async function takeOver(parts: AgentParts): Promise<void> {
  const { host, log } = parts;
  const owner = await findOwner(host);
  if (owner === undefined) return;
  const refusal = await refusalOf(parts, owner);
  if (refusal !== undefined) throw refusal;
  log.warn('taking over', { from: owner.name, pid: owner.pid, unit: owner.cgroup });
  await stop(parts, owner);
  await gone(parts);
  await refuseOwner(host);
}

async function stop({ writer }: AgentParts, owner: ProcessInfo): Promise<void> {
  if (owner.cgroup === '') return writer.signal(owner.pid, 'SIGTERM');
  const { exitCode, stderr } = await writer.run(['systemctl', 'stop', owner.cgroup], { timeoutMs: STOP_MS });
  if (exitCode === 0) return;
  throw new ConflictError(`${owner.cgroup} could not be stopped: ${stderr.trim().slice(0, 200)}`);
}

async function gone({ host, clock }: AgentParts): Promise<void> {
  const endsAt = clock.monotonic() + STOP_MS;
  while ((await findOwner(host)) !== undefined && clock.monotonic() < endsAt) await clock.sleep(LOOK_MS);
}

async function refusalOf({ host }: AgentParts, owner: ProcessInfo): Promise<FlannelctlError | undefined> {
  const node = (await host.identity()).hostname;
  const what = `${owner.name} (pid ${owner.pid})`;
  if (owner.name !== 'flanneld') {
    return new ConflictError(`${what} runs flannel inside itself and is not stopped for it`, {
      hint: `Put "flannel-backend: none" into /etc/rancher/${owner.name}/config.yaml of the servers, then on this node: systemctl restart ${owner.cgroup || owner.name}`,
    });
  }
  if (owner.cgroup !== 'kubepods') return undefined;
  return new ConflictError(`${what} is of a DaemonSet, which would start it again`, {
    hint: `Take this node out of it first: ${exclude(node)}`,
  });
}

/** The shipped manifest has one node selector term, for the operating system (kube-flannel.yml). */
function exclude(node: string): string {
  const path =
    '/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions/-';
  const patch = [{ op: 'add', path, value: { key: 'kubernetes.io/hostname', operator: 'NotIn', values: [node] } }];
  return `kubectl -n kube-flannel patch daemonset kube-flannel-ds --type=json -p '${JSON.stringify(patch)}'`;
}
