import { ConflictError, UnavailableError } from '../errors.ts';
import { type ProcessInfo, readProcesses } from '../facts/processes.ts';
import type { Host } from '../host/host.ts';

/** A flanneld, k3s or rke2 owns the overlay of this network namespace. */
export class OwnerError extends ConflictError {
  readonly owner: ProcessInfo;

  constructor(owner: ProcessInfo, hint: string) {
    super(`${owner.name} (pid ${owner.pid}) runs here and owns the overlay`, { hint });
    this.owner = owner;
  }
}

/** Programs that run flannel's backend. */
const OWNERS: ReadonlySet<string> = new Set(['flanneld', 'k3s', 'rke2']);

/** Who owns the overlay of this network namespace; `undefined`: nobody but us. */
export async function findOwner(host: Host): Promise<ProcessInfo | undefined> {
  return (await readProcesses(host)).find(({ name }) => OWNERS.has(name));
}

/** @throws {OwnerError} naming the process that owns the overlay of this network namespace. */
export async function refuseOwner(host: Host): Promise<void> {
  const owner = await findOwner(host);
  if (owner === undefined) return;
  const stop = owner.cgroup.endsWith('.service') ? `: systemctl stop ${owner.cgroup}` : '';
  throw new OwnerError(owner, `Stop it first${stop}, or use --takeover.`);
}

/** Before the lease is taken: a lease without an overlay would draw the peers' traffic to nowhere. @throws {UnavailableError} `permission` */
export async function refuseWithoutRoot(host: Host): Promise<void> {
  const { uid } = await host.identity();
  if (uid === 0) return;
  throw new UnavailableError('permission', 'this changes the kernel, which only root may', { hint: 'Use sudo.' });
}
