import { type SpawnOptions as NodeSpawnOptions, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OutputError } from '../errors.ts';
import type { Argv, SpawnOptions } from './host.ts';
import { errorCode } from './live-errors.ts';
import { notStarted, PROGRAM_PATH } from './live-exec.ts';
import { pathInRoot } from './live-paths.ts';

/**
 * Starts a program in a session of its own and lets go of it. Node's own spawn, because it hands an open file down as it is;
 * a runner that supervises its child has nothing to do here.
 */
export async function spawnDetached(root: string, argv: Argv, options: SpawnOptions = {}): Promise<{ pid: number }> {
  const log = options.logFile === undefined ? undefined : await openLog(root, options.logFile);
  try {
    const output = log?.fd ?? 'ignore';
    return await started(argv, {
      cwd: '/',
      env: options.env ?? { PATH: PROGRAM_PATH },
      detached: true,
      stdio: ['ignore', output, output],
      ...(options.argv0 === undefined ? {} : { argv0: options.argv0 }),
    });
  } finally {
    await log?.close();
  }
}

function started([program, ...args]: Argv, options: NodeSpawnOptions): Promise<{ pid: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, options);
    child.once('error', (error) => reject(notStarted(program, { code: errorCode(error), cause: error })));
    child.once('spawn', () => {
      child.unref();
      if (child.pid !== undefined) resolve({ pid: child.pid });
    });
  });
}

async function openLog(root: string, path: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  try {
    return await open(await pathInRoot(root, path), flags, 0o640);
  } catch (error) {
    throw new OutputError(`${path} cannot be written (${errorCode(error)})`, { cause: error });
  }
}
