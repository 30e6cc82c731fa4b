import { ConflictError, FlannelctlError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { AgentParts } from './board.ts';
import { findOwner, refuseOwner } from './owner.ts';
import { type StopWay, stopWayOf, takeoverCommand } from './owner-stop.ts';
import { isUnanswered } from './problem.ts';

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
  const way = await stopWayOf(host, owner);
  if (way.kind === 'refused') throw new ConflictError(way.why, { hint: way.hint });
  log.warn('taking over', { from: owner.name, pid: owner.pid, unit: way.kind === 'unit' ? way.unit : null });
  await stop(parts, way);
  await gone(parts);
  await refuseOwner(host);
}

/** Where the datastore does not answer it may be another one than that of whoever is to be replaced: then his flags are told. */
export async function tellingFlags<T>(host: Host, start: Promise<T>): Promise<T> {
  try {
    return await start;
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    const owner = await findOwner(host);
    if (owner?.name !== 'flanneld') throw error;
    const { message, hint = '' } = error;
    const told = `With the flags of the ${owner.name} here (pid ${owner.pid}): ${takeoverCommand(owner)}`;
    throw new FlannelctlError(error, message, { cause: error, hint: `${hint} ${told}`.trim() });
  }
}

async function stop({ writer }: AgentParts, way: Exclude<StopWay, { kind: 'refused' }>): Promise<void> {
  if (way.kind === 'process') return writer.signal(way.pid, 'SIGTERM');
  const { exitCode, stderr } = await writer.run(['systemctl', 'stop', way.unit], { timeoutMs: STOP_MS });
  if (exitCode === 0) return;
  throw new ConflictError(`${way.unit} could not be stopped: ${stderr.trim().slice(0, 200)}`);
}

async function gone({ host, clock }: AgentParts): Promise<void> {
  const endsAt = clock.monotonic() + STOP_MS;
  while ((await findOwner(host)) !== undefined && clock.monotonic() < endsAt) await clock.sleep(LOOK_MS);
}
