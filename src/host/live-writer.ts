import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConflictError, OutputError } from '../errors.ts';
import type { HostWriter, WriteFileOptions } from './host.ts';
import { errorCode } from './live-errors.ts';
import { runProgram } from './live-exec.ts';
import { sendSignal, writeSysctl } from './live-kernel.ts';
import { pathInRoot } from './live-paths.ts';
import { spawnDetached } from './live-spawn.ts';

/** Writes to this machine; files below `root`, everything else where this process runs. */
export function liveWriter({ root }: { readonly root: string }): HostWriter {
  return {
    run: runProgram,
    writeFile: (path, content, options) => replaceFile({ root, path, content, ...options }),
    createFile: (path, content, options) => createFile({ root, path, content, ...options }),
    appendFile: (path, content, options) => appendFile({ root, path, content, ...options }),
    remove: (path) => removePath(root, path),
    writeSysctl: (name, value) => writeSysctl(root, name, value),
    signal: (pid, signal) => sendSignal(root, pid, signal),
    spawn: (argv, options) => spawnDetached(root, argv, options),
  };
}

interface FileWrite extends WriteFileOptions {
  readonly root: string;
  readonly path: string;
  readonly content: string;
}

/**
 * A symbolic link of that name is replaced, not followed: it could lead a writer with root's rights anywhere. A device or a pipe is neither:
 * rename(2) would put a file in the place of `/dev/null`.
 */
async function replaceFile(write: FileWrite): Promise<void> {
  await writing(write.path, async () => {
    const real = await pathInRoot(write.root, write.path, { followLast: false });
    await assertReplaceable(real);
    await viaTemporary(real, write, (temporary) => rename(temporary, real));
  });
}

async function assertReplaceable(real: string): Promise<void> {
  const [found] = await Promise.allSettled([lstat(real)]);
  if (found.status === 'rejected' || found.value.isFile() || found.value.isSymbolicLink()) return;
  const code = found.value.isDirectory() ? 'EISDIR' : 'no regular file';
  throw Object.assign(new Error(`${real} is not replaced`), { code });
}

/** link(2) fails when the name exists, so two creators cannot both succeed, and nobody sees half a file. */
async function createFile(write: FileWrite): Promise<void> {
  await writing(write.path, async () => {
    const real = await pathInRoot(write.root, write.path, { followLast: false });
    await viaTemporary(real, write, (temporary) => link(temporary, real));
  });
}

async function appendFile({ root, path, content, mode }: FileWrite): Promise<void> {
  await writing(path, async () => {
    const real = await pathInRoot(root, path, { followLast: false });
    await makeDirectory(dirname(real));
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
    const file = await open(real, flags, mode ?? 0o644);
    await closing(file, async () => {
      await file.writeFile(content, 'utf8');
      await file.sync();
    });
  });
}

async function viaTemporary(
  real: string,
  write: FileWrite,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  const directory = dirname(real);
  await makeDirectory(directory);
  const temporary = join(directory, `.flannelctl-${randomBytes(6).toString('hex')}`);
  try {
    await writeSynced(temporary, write);
    await publish(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(directory);
}

/** By hand: mkdir of Node 24 with `recursive` never returns where the kernel says ENOENT for good, as in /proc. */
async function makeDirectory(directory: string): Promise<void> {
  const code = await codeOfMkdir(directory);
  if (code === undefined || code === 'EEXIST') return;
  if (code !== 'ENOENT' || dirname(directory) === directory) throw mkdirError(directory, code);
  await makeDirectory(dirname(directory));
  const again = await codeOfMkdir(directory);
  if (again !== undefined && again !== 'EEXIST') throw mkdirError(directory, again);
}

/** Name of the kernel's error; `undefined`: it was made. */
async function codeOfMkdir(directory: string): Promise<string | undefined> {
  try {
    await mkdir(directory, { mode: 0o755 });
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === '') throw error;
    return code;
  }
}

function mkdirError(directory: string, code: string): Error {
  return Object.assign(new Error(`mkdir ${directory}`), { code });
}

async function writeSynced(temporary: string, { content, mode }: FileWrite): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(temporary, flags, 0o600);
  await closing(file, async () => {
    await file.writeFile(content, 'utf8');
    // The umask must not decide who may read subnet.env.
    await file.chmod(mode ?? 0o644);
    await file.sync();
  });
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  await closing(handle, async () => {
    try {
      await handle.sync();
    } catch (error) {
      // Some network and overlay file systems cannot sync a directory; the rename itself is done.
      if (errorCode(error) !== 'EINVAL') throw error;
    }
  });
}

async function closing(file: FileHandle, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } finally {
    await file.close();
  }
}

async function writing(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const code = errorCode(error);
    if (code === '') throw error;
    if (code === 'EEXIST') throw new ConflictError(`${path} exists`, { cause: error });
    throw new OutputError(`${path} cannot be written (${code})`, { cause: error });
  }
}

async function removePath(root: string, path: string): Promise<void> {
  await writing(path, async () =>
    rm(await pathInRoot(root, path, { followLast: false }), { recursive: true, force: true }),
  );
}
