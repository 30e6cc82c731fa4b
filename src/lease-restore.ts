import { UnavailableError } from './errors.ts';
import { prefixOf } from './lease-place.ts';
import type { LeaseSession } from './lease-session.ts';
import { parseBackup } from './leases/backup.ts';
import { assertSamePlace, type Restored, restoreLeases } from './leases/restore.ts';
import type { RestoreReport } from './render/lease-document.ts';
import { readInput } from './wire.ts';

export interface RestoreRequest {
  readonly file: string;
  /** Also from a backup of another cluster or prefix. */
  readonly force: boolean;
  readonly dryRun: boolean;
}

/**
 * Reads the file to its end before anything is written.
 * @throws {InputError} for a file that is no backup, or not of this datastore.
 */
export async function restoreFrom(session: LeaseSession, request: RestoreRequest): Promise<RestoreReport> {
  const { store, selection, world, signal } = session;
  const { file, force, dryRun } = request;
  const backup = parseBackup(await readInput(file), file);
  const { clusterId, source } = await store.listLeases({ ttl: false });
  const prefix = prefixOf(selection) ?? '';
  if (!force) assertSamePlace(backup, { clusterId, prefix });
  const restored = await restoreLeases({ store, backup, now: world.clock.now(), isDry: dryRun, signal });
  const exitCode = exitCodeOf(restored, signal);
  return { file, dryRun, place: { source, clusterId, prefix }, restored, exitCode };
}

function exitCodeOf(restored: readonly Restored[], { aborted, reason }: AbortSignal): number {
  const has = (wanted: Restored['result']) => restored.some(({ result }) => result === wanted);
  if (aborted && has('untried')) return reason === 'SIGTERM' ? 143 : 130;
  const failed = restored.find(({ result }) => result === 'failed');
  if (failed !== undefined) return new UnavailableError('unreachable', '').exitCode;
  return has('refused') ? 75 : 0;
}
