import { prefixOf } from './lease-place.ts';
import type { LeaseSession } from './lease-session.ts';
import { parseBackup } from './leases/backup.ts';
import { type Restored, restoreLeases } from './leases/restore.ts';
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
  const prefix = prefixOf(selection) ?? '';
  const { listing, restored } = await restoreLeases({
    ...{ store, backup, prefix, isForced: force, now: world.clock.now(), isDry: dryRun, signal, clock: world.clock },
  });
  const { source, clusterId } = listing;
  return { file, dryRun, place: { source, clusterId, prefix }, restored, exitCode: exitCodeOf(restored, signal) };
}

function exitCodeOf(restored: readonly Restored[], { aborted, reason }: AbortSignal): number {
  const has = (wanted: Restored['result']) => restored.some(({ result }) => result === wanted);
  if (aborted && has('untried')) return reason === 'SIGTERM' ? 143 : 130;
  const failed = restored.find(({ error }) => error !== null);
  if (failed?.error) return failed.error.exitCode;
  return has('refused') ? 75 : 0;
}
