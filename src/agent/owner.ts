import { ConflictError, UnavailableError } from '../errors.ts';
import { bringsFlannel } from '../facts/embedded-flannel.ts';
import { type ProcessInfo, readProcesses } from '../facts/processes.ts';
import type { Clock } from '../host/clock.ts';
import type { Host } from '../host/host.ts';
import { hintOf, stopWayOf } from './owner-stop.ts';

/** A flanneld, k3s or rke2 owns the overlay of this network namespace. */
export class OwnerError extends ConflictError {
  readonly owner: ProcessInfo;

  constructor(owner: ProcessInfo, hint: string) {
    super(`${owner.name} (pid ${owner.pid}) runs here and owns the overlay`, { hint });
    this.owner = owner;
  }
}

/** Who owns the overlay of this network namespace; `undefined`: nobody but us. */
export async function findOwner(host: Host): Promise<ProcessInfo | undefined> {
  for (const process of await readProcesses(host)) if (await isOwner(host, process)) return process;
  return undefined;
}

/** k3s and rke2 can be told to leave the network to others. */
async function isOwner(host: Host, process: ProcessInfo): Promise<boolean> {
  if (process.name === 'flanneld') return true;
  return (process.name === 'k3s' || process.name === 'rke2') && bringsFlannel(host, process);
}

/** @throws {OwnerError} naming the process that owns the overlay of this network namespace. */
export async function refuseOwner(host: Host): Promise<void> {
  const owner = await findOwner(host);
  if (owner !== undefined) throw new OwnerError(owner, hintOf(await stopWayOf(host, owner), owner));
}

/** An answer is good for that long: the rounds of a burst follow each other faster. */
const FRESH_MS = 1000;

/** Looks for an owner beside what a round does anyway: every process of the host is looked at, and that takes as long as the kernel's tables. */
export class OwnerWatch {
  readonly #parts: { readonly host: Host; readonly clock: Clock };
  #last: Promise<void> | undefined;
  #at = 0;

  constructor(parts: { readonly host: Host; readonly clock: Clock }) {
    this.#parts = parts;
  }

  /**
   * `since`: an answer from before is none (monotonic ms). Who removes or replaces what it saw asks since then: a flanneld that was started
   * meanwhile may have written it.
   *
   * @throws as {@link refuseOwner}.
   */
  refuse(since = 0): Promise<void> {
    const now = this.#parts.clock.monotonic();
    if (this.#last !== undefined && now - this.#at < FRESH_MS && this.#at >= since) return this.#last;
    this.#at = now;
    this.#last = refuseOwner(this.#parts.host);
    // who does not wait for it does not write either
    this.#last.catch(() => undefined);
    return this.#last;
  }
}

/** Before the lease is taken: a lease without an overlay would draw the peers' traffic to nowhere. @throws {UnavailableError} `permission` */
export async function refuseWithoutRoot(host: Host): Promise<void> {
  const { uid } = await host.identity();
  if (uid === 0) return;
  throw new UnavailableError('permission', 'this changes the kernel, which only root may', { hint: 'Use sudo.' });
}
