import { randomBytes } from 'node:crypto';
import { FlannelctlError, OutputError } from '../errors.ts';
import type { Clock } from '../host/clock.ts';
import type { Host, HostWriter } from '../host/host.ts';
import type { DumpedRecord, StoreDump } from '../store/store.ts';
import { formatBackup, type LeaseBackup } from './backup.ts';

/** What a backup is written with. */
export interface BackupTools {
  readonly host: Host;
  readonly writer: HostWriter;
  readonly clock: Clock;
}

/** `/var/lib/flannelctl/backups/prune-20261120T152011Z-4f9a12.json`. */
export function backupPath(directory: string, what: string, clock: Clock): string {
  const time = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  return `${directory.replace(/\/+$/, '') || '/'}/${what}-${time}-${randomBytes(3).toString('hex')}.json`;
}

/** The whole of a dump. */
export function backupOf(dump: StoreDump, createdAt: number): LeaseBackup {
  return { ...dump, createdAt };
}

/** Only these records: what is about to be deleted. */
export function backupOfRecords(dump: StoreDump, records: readonly DumpedRecord[], createdAt: number): LeaseBackup {
  return { ...dump, records, createdAt };
}

/**
 * Writes the file for its owner alone, fsynced, and reads it back. A file that is there is replaced, whole or not at all.
 * @throws {OutputError} when it cannot be written, or does not read back as it was written.
 */
export async function writeBackup({ host, writer }: BackupTools, path: string, backup: LeaseBackup): Promise<void> {
  const text = formatBackup(backup);
  await writer.writeFile(path, text, { mode: 0o600 });
  if ((await readBack(host, path, text.length)) !== text) {
    throw new OutputError(`${path} does not read back as it was written`);
  }
}

async function readBack(host: Host, path: string, length: number): Promise<string> {
  try {
    // No character of the text takes more than four bytes.
    return await host.readFile(path, { maxBytes: 4 * length });
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    throw new OutputError(`${path} cannot be read back: ${error.message}`, { cause: error });
  }
}
