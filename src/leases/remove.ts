import pLimit from 'p-limit';
import { ConflictError, FlannelctlError } from '../errors.ts';
import type { LeaseRecord, SubnetStore } from '../store/store.ts';
import { type Audit, openAudit } from './audit.ts';
import { type BackupTools, backupOfRecords, backupPath, writeBackup } from './backup-file.ts';
import { promptly } from './promptly.ts';

/** One record to delete. */
export interface Removal {
  readonly record: LeaseRecord;
  /** Seconds that were left when it was chosen; more than that later means it was renewed. `null`: it has no TTL. */
  readonly ttlSeconds: number | null;
  /** For the log: why. */
  readonly because: string;
}

export interface RemoveOptions extends BackupTools {
  readonly store: SubnetStore;
  /** Where the backup goes, and the log beside it. */
  readonly directory: string;
  /** Begins the name of the backup: `prune`, `release`. */
  readonly what: string;
  /** When it aborts nothing more is deleted. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface RemoveOutcome {
  /** Path of the backup; `null`: none was written, because nothing was left to delete. */
  readonly backup: string | null;
  readonly deleted: readonly Removal[];
  /** Changed since they were chosen, or gone: kept as they are. */
  readonly changed: readonly { readonly removal: Removal; readonly message: string }[];
  /** Nobody knows whether they were deleted. */
  readonly failed: readonly { readonly removal: Removal; readonly error: FlannelctlError }[];
  /** Not tried any more, after a failure or a signal. */
  readonly untried: readonly Removal[];
}

/** So many transactions in flight; etcd's own limit for one client is far above. */
const AT_ONCE = 64;
/** etcd counts whole seconds, and ours were rounded. */
const SPARE_SECONDS = 2;

/**
 * Deletes records after their bytes are in a backup that was read back. Each deletion is a transaction of its own, which compares
 * what was chosen with what is there.
 *
 * @throws {OutputError} when backup or log cannot be written, {InterruptedError} when a signal came before: nothing was deleted then.
 */
export async function removeLeases(removals: readonly Removal[], options: RemoveOptions): Promise<RemoveOutcome> {
  const { store, directory, clock, what, say, writer } = options;
  const createdAt = clock.now();
  const chosen = new Set(removals.map(({ record }) => record.key));
  const dump = await promptly(store.dump({ keys: chosen }), options);
  const there = new Map(dump.records.map((record) => [record.key, record]));
  const isSame = ({ record }: Removal) => {
    const found = there.get(record.key);
    return found?.modRevision === record.modRevision && found.etcdLease === record.etcdLease;
  };
  const wanted = removals.filter(isSame);
  const gone = removals.filter((removal) => !isSame(removal));
  const changed = gone.map((removal) => ({ removal, message: `${removal.record.key} changed meanwhile` }));
  if (wanted.length === 0) return { backup: null, deleted: [], changed, failed: [], untried: [] };
  const backup = backupPath(directory, what, clock);
  const keys = new Set(wanted.map(({ record }) => record.key));
  const records = dump.records.filter(({ key }) => keys.has(key));
  await writeBackup(options, backup, backupOfRecords(dump, records, createdAt));
  const audit = openAudit({ writer, clock, path: `${backup.slice(0, backup.lastIndexOf('/'))}/audit.log`, say });
  await audit.open(`${what} of ${wanted.length} leases of ${store.description} begins; backup ${backup}`);
  const outcome = await removeAll(wanted, options, audit);
  const problem = await audit.close();
  if (problem !== undefined) say(`the log is not complete: ${problem}`);
  return { backup, ...outcome, changed: [...changed, ...outcome.changed] };
}

type Outcome = Omit<RemoveOutcome, 'backup'>;

async function removeAll(removals: readonly Removal[], options: RemoveOptions, audit: Audit): Promise<Outcome> {
  const deleted: Removal[] = [];
  const changed: Outcome['changed'][number][] = [];
  const failed: Outcome['failed'][number][] = [];
  const untried: Removal[] = [];
  const remove = async (removal: Removal) => {
    if (options.signal.aborted || failed.length > 0) return void untried.push(removal);
    const { record, ttlSeconds, because } = removal;
    try {
      const most = ttlSeconds === null ? {} : { unlessTtlAboveSeconds: ttlSeconds + SPARE_SECONDS };
      await promptly(options.store.remove(record, most), options, `${record.key} was deleted`);
      deleted.push(removal);
      audit.note(`deleted ${describe(record)}: ${because}`);
    } catch (error) {
      if (!(error instanceof FlannelctlError)) throw error;
      if (error instanceof ConflictError) changed.push({ removal, message: error.message });
      else failed.push({ removal, error });
      audit.note(`${error instanceof ConflictError ? 'kept' : 'failed'} ${describe(record)}: ${error.message}`);
    }
  };
  await pLimit(AT_ONCE).map(removals, remove);
  return { deleted, changed, failed, untried };
}

function describe(record: LeaseRecord): string {
  const owner = record.kind === 'lease' ? (record.attributes.publicIp ?? record.attributes.publicIpv6) : null;
  const lease = record.etcdLease === null ? '' : `, etcd lease ${record.etcdLease}`;
  return `${record.key} (${owner === null ? '' : `${owner}, `}revision ${record.modRevision}${lease})`;
}
