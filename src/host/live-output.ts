import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OutputError } from '../errors.ts';
import { errorCode } from './live-errors.ts';
import { liveWriter } from './live-writer.ts';

/**
 * Writes a file that somebody named on the command line: of the file system of this process, whatever `--root` is. A regular file
 * is there whole or not at all; a device or a pipe (`/dev/stdout`, a process substitution) is written into and stays what it is.
 * @throws {OutputError} when it cannot be written, also for a directory that is not there.
 */
export async function writeOutputFile(path: string, content: string, mode = 0o644): Promise<void> {
  await outputting(path, async () => {
    if (await isWrittenInto(path)) return writeInto(path, content);
    await stat(dirname(path));
    return liveWriter({ root: '/' }).writeFile(path, content, { mode });
  });
}

/** Finds out that a file cannot be written before a run is spent on it; leaves nothing behind. @throws {OutputError} */
export async function assertOutputFile(path: string): Promise<void> {
  await outputting(path, async () => {
    if (ownStream(path) !== undefined) return;
    if (await isWrittenInto(path)) return access(path, constants.W_OK);
    const trial = join(dirname(path), `.flannelctl-${randomBytes(6).toString('hex')}`);
    await closed(open(trial, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
    return rm(trial);
  });
}

/** Links to what this process has open: also where that is a regular file, replacing the link would be of no use. */
const THROUGH = /^\/(dev\/(std(in|out|err)$|fd\/)|proc\/)/;

async function isWrittenInto(path: string): Promise<boolean> {
  const found = await statIfThere(path);
  if (found?.isDirectory() === true) throw Object.assign(new Error(`${path} is a directory`), { code: 'EISDIR' });
  return found !== undefined && (!found.isFile() || THROUGH.test(path));
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeInto(path: string, content: string): Promise<void> {
  const own = ownStream(path);
  if (own !== undefined) return writeToStream(own, content);
  const file = await open(path, constants.O_WRONLY | constants.O_APPEND);
  try {
    await file.writeFile(content, 'utf8');
  } finally {
    await file.close();
  }
}

/** A socket, which is what many programs hand over, cannot be opened by its name. */
function ownStream(path: string): NodeJS.WriteStream | undefined {
  const [, name] = /^\/(?:dev\/|dev\/fd\/|proc\/self\/fd\/)(stdout|stderr|1|2)$/.exec(path) ?? [];
  if (name === undefined) return undefined;
  return name === 'stdout' || name === '1' ? process.stdout : process.stderr;
}

function writeToStream(stream: NodeJS.WriteStream, content: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.write(content, (error) => (error ? reject(error) : resolve()));
  return promise;
}

async function closed(opening: Promise<FileHandle>): Promise<void> {
  await (await opening).close();
}

async function outputting(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const code = errorCode(error);
    if (code === '' || error instanceof OutputError) throw error;
    throw new OutputError(`${path} cannot be written (${code})`, { cause: error });
  }
}
