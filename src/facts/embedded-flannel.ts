import { FlannelctlError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { configPaths, discoverK3s, flagValues, readConfig, roleOf } from './discover-k3s.ts';
import { findUnit } from './discover-units.ts';
import { type ProcessInfo, readArguments } from './processes.ts';
import { ifThere } from './read-if-there.ts';

const RKE2_CONFIG = '/etc/rancher/rke2/config.yaml';
const K3S_CONFIG = '/etc/rancher/k3s/config.yaml';

/** What brings flannel along with rke2; canal is its default. */
const FLANNEL_CNIS: readonly string[] = ['canal', 'flannel'];

/**
 * Whether this k3s or rke2 brings flannel to this host. Where its configuration cannot be read, or was written after it started, it counts
 * as one that does.
 */
export async function bringsFlannel(host: Host, process: ProcessInfo): Promise<boolean> {
  if (roleOf(process.argv.join(' ')) === undefined) return false;
  try {
    const isTold =
      process.name === 'rke2' ? await rke2BringsFlannel(host, process) : await k3sRunsFlannel(host, process);
    return isTold || (await isConfigNewer(host, process));
  } catch (error) {
    if (error instanceof FlannelctlError) return true;
    throw error;
  }
}

async function k3sRunsFlannel(host: Host, process: ProcessInfo): Promise<boolean> {
  return (await discoverK3s(host, [process])) !== undefined;
}

/** As a DaemonSet of its own; on an agent only what is written down there is known. */
async function rke2BringsFlannel(host: Host, process: ProcessInfo): Promise<boolean> {
  const unit = process.cgroup === '' ? undefined : await findUnit(host, process.cgroup);
  const args = [...(await readArguments(host, process.pid)), ...(unit?.program === 'rke2' ? unit.args : [])];
  const config = await readConfig(host, RKE2_CONFIG);
  const setting = (name: string) => {
    const flags = flagValues(args, name);
    return flags.length > 0 ? flags : (config.get(name) ?? []);
  };
  if (setting('flannel-backend').at(-1) === 'none') return false;
  const cnis = setting('cni').flatMap((value) => value.split(','));
  return cnis.length === 0 || cnis.some((cni) => FLANNEL_CNIS.includes(cni.trim()));
}

/** It is read at the start alone. */
async function isConfigNewer(host: Host, { name, startedAt }: ProcessInfo): Promise<boolean> {
  const paths = await configPaths(host, name === 'rke2' ? RKE2_CONFIG : K3S_CONFIG);
  const stats = await Promise.all(paths.map((path) => ifThere(host.stat(path))));
  return stats.some((stat) => stat !== undefined && stat.modifiedAt > startedAt);
}
