import { FlannelctlError } from '../../src/errors.ts';
import { type LeaseBackup, parseBackup } from '../../src/leases/backup.ts';
import { type Restored, restoreLeases } from '../../src/leases/restore.ts';
import type { RestoreDeed } from './deeds.ts';
import { clientOf, count, type World } from './world.ts';

/** `flannelctl leases restore` of one of the last backups. */
export async function restore(world: World): Promise<void> {
  const [path, text] = world.random.pick([...world.files].slice(-6)) ?? [];
  if (path === undefined || text === undefined) return;
  try {
    for (const { result } of await restoreBackup(world, parseBackup(text, path))) {
      count(world, `records ${result} by restore`);
    }
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    count(world, 'restores that failed');
  }
}

/** No signal comes in the model. */
function neverStopped(): Promise<never> {
  return Promise.reject(new TypeError('nobody waits here'));
}

export async function restoreBackup(world: World, backup: LeaseBackup): Promise<readonly Restored[]> {
  const deed: RestoreDeed = { kind: 'restore', backup };
  const { restored } = await restoreLeases({
    ...{ store: clientOf(world, () => deed), backup, prefix: world.prefix, isForced: false },
    ...{ now: world.time.now(), isDry: false, clock: { sleep: neverStopped } },
    signal: new AbortController().signal,
  });
  for (const { record, result } of restored) {
    if (result !== 'failed') world.claims.push({ deed, key: record.key, isDone: result === 'restored' });
  }
  return restored;
}
