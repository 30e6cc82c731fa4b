import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { readFileIfThere } from './read-if-there.ts';

/**
 * Whether every process of this network namespace can be seen; asked before anybody says that one does not run.
 * @throws {UnavailableError} `permission` when /proc hides the processes of others (hidepid); `unsupported` in a container that shares
 * the network of the host but not its process ids.
 */
export async function assertWholeView(host: Host, pids: readonly number[]): Promise<void> {
  if (pids.length === 0) throw new UnavailableError('unsupported', '/proc shows no processes: it is not mounted');
  if (!pids.includes(1)) {
    throw new UnavailableError('permission', '/proc hides the processes of other users', { hint: 'Run it as root.' });
  }
  if ((await isInitialNetwork(host)) && !(await seesKernelThreads(host))) {
    throw new UnavailableError('unsupported', 'the processes of the host cannot be seen from this container', {
      hint: 'Give the container the pid namespace of the host (hostPID: true).',
    });
  }
}

/** These settings exist in the initial network namespace alone (kernel net/core/sysctl_net_core.c, net_core_table). */
async function isInitialNetwork(host: Host): Promise<boolean> {
  return (await readFileIfThere(host, '/proc/sys/net/core/netdev_budget')) !== undefined;
}

/** kthreadd is process 2 of the initial pid namespace and of no other. */
async function seesKernelThreads(host: Host): Promise<boolean> {
  return (await readFileIfThere(host, '/proc/2/comm'))?.trim() === 'kthreadd';
}
