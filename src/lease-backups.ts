import { isAbsolute, join } from 'node:path/posix';
import { FlannelctlError, OutputError } from './errors.ts';
import type { LeaseSession, SessionFlags } from './lease-session.ts';
import { formatBackup } from './leases/backup.ts';
import { backupOf, backupPath, writeBackup } from './leases/backup-file.ts';
import type { RemoveOutcome } from './leases/remove.ts';
import { shellWord } from './shell-word.ts';
import type { StoreDump } from './store/store.ts';

/** Where root's backups go. */
const ROOTS_DIRECTORY = '/var/lib/flannelctl/backups';

/** `--backup-dir`; else a place of root's own, else the working directory. An absolute path. */
export async function backupDirectory(session: LeaseSession, given: string | undefined): Promise<string> {
  const { uid } = await session.world.host.identity();
  if (given === undefined && uid === 0) return ROOTS_DIRECTORY;
  return absolutePath(session, given ?? '.');
}

/** A path of the command line, seen from the working directory. */
export async function absolutePath({ world }: LeaseSession, path: string): Promise<string> {
  return isAbsolute(path) ? path : join(await world.host.readLink('/proc/self/cwd'), path);
}

export interface BackupRequest {
  /** Default: a new file in the directory. */
  readonly file: string | undefined;
  /** `--backup-dir`. */
  readonly directory: string | undefined;
}

/** Writes all there is to a file. @throws {OutputError} when it cannot be written, or does not read back. */
export async function backupTo(
  session: LeaseSession,
  { file, directory }: BackupRequest,
): Promise<{ readonly path: string; readonly dump: StoreDump }> {
  const { host, clock } = session.world;
  const inDirectory = async () => backupPath(await backupDirectory(session, directory), 'leases', clock);
  const path = file === undefined ? await inDirectory() : await namedFile(session, file);
  const createdAt = clock.now();
  const dump = await session.store.dump();
  await writeBackup({ host, clock, writer: await session.world.writer() }, path, backupOf(dump, createdAt));
  return { path, dump };
}

/** The same text, for standard output. */
export async function backupText(session: LeaseSession): Promise<string> {
  const createdAt = session.world.clock.now();
  return formatBackup(backupOf(await session.store.dump(), createdAt));
}

/** A backup is read back, so a device, a pipe or a link to one cannot take it. */
async function namedFile(session: LeaseSession, file: string): Promise<string> {
  const path = await absolutePath(session, file);
  try {
    if ((await session.world.host.stat(path)).type === 'file') return path;
  } catch (error) {
    // that it cannot be looked at is for the writing to say
    if (error instanceof FlannelctlError) return path;
    throw error;
  }
  throw new OutputError(`${path} is no regular file`, { hint: 'Name a new file, or - for standard output.' });
}

/** The line that puts back what was deleted, in the datastore it was deleted from. Secrets are not in it. */
export function restoreCommand(path: string, flags: SessionFlags): string {
  const named = DATASTORE_FLAGS.flatMap((name) => {
    const value = flags[name];
    return typeof value === 'string' && value !== '' ? [`--${name}`, shellWord(value)] : [];
  });
  return ['flannelctl', 'leases', 'restore', shellWord(path), ...named].join(' ');
}

const DATASTORE_FLAGS = [
  ...['etcd-endpoints', 'etcd-prefix', 'etcd-keyfile', 'etcd-certfile', 'etcd-cafile', 'etcd-username'],
  'etcd-password-file',
] as const;

/** What a deletion ends with: 75 when something had changed, the error when one could not be carried out, the signal that ended it. */
export function exitCodeOf({ changed, failed, untried }: RemoveOutcome, signal: AbortSignal): number {
  if (signal.aborted && untried.length > 0) return signal.reason === 'SIGTERM' ? 143 : 130;
  const [failure] = failed;
  if (failure !== undefined) return failure.error instanceof FlannelctlError ? failure.error.exitCode : 70;
  return changed.length > 0 ? 75 : 0;
}
