import { lstat, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.ts';
import { errorCode } from './live-errors.ts';

export interface ResolveOptions {
  /** False for what looks at the link itself: readlink, lstat, unlink, rename. Default true. */
  readonly followLast?: boolean;
}

/** As the kernel's own limit (include/linux/namei.h, MAXSYMLINKS). */
const MAX_LINKS = 40;

/**
 * Where a path of the host lies as seen from here. Below another root symbolic links are followed by hand, because an absolute
 * one would be taken from our own root, and `..` stops at the host's root. What does not exist is left as it is.
 */
export async function pathInRoot(root: string, path: string, options: ResolveOptions = {}): Promise<string> {
  const [, ofProcess, below] = /^(\/proc\/\d+\/root)(\/.*)$/.exec(path) ?? [];
  // The root of a container: whoever built its image must not lead us out of it by a link.
  if (ofProcess !== undefined && below !== undefined) return pathInRoot(join(root, ofProcess), below, options);
  if (root === '/') return path;
  const pending = partsOf(path);
  let walked: string[] = [];
  let links = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === '..') {
      walked.pop();
      continue;
    }
    walked.push(part);
    if (pending.length === 0 && options.followLast === false) break;
    const target = await linkTarget(join(root, ...walked));
    if (target === undefined) continue;
    links += 1;
    if (links > MAX_LINKS) throw Object.assign(new Error(`${path}: too many symbolic links`), { code: 'ELOOP' });
    walked = target.startsWith('/') ? [] : walked.slice(0, -1);
    pending.unshift(...partsOf(target));
  }
  return join(root, ...walked);
}

/** @throws {UsageError} when `root` does not look like the root of a host: neither an os-release nor `/proc` and `/run` in it. */
export async function assertHostRoot(root: string): Promise<void> {
  if (root === '/') return;
  const [release, proc, run] = await Promise.all([
    isType(root, '/etc/os-release', 'file'),
    isType(root, '/proc', 'directory'),
    isType(root, '/run', 'directory'),
  ]);
  if (release || (proc && run)) return;
  throw new UsageError(`${root} is not the root of a host: there is no etc/os-release, proc or run in it`, {
    hint: "Mount the host's / into the container and name that directory: --root /host.",
  });
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** Text of a symbolic link; `undefined` for everything else, also for what is not there: the caller's own access reports that. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    const found = await lstat(path);
    return found.isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    if (errorCode(error) === '') throw error;
    return undefined;
  }
}

async function isType(root: string, path: string, type: 'file' | 'directory'): Promise<boolean> {
  try {
    const found = await stat(await pathInRoot(root, path));
    return type === 'file' ? found.isFile() : found.isDirectory();
  } catch (error) {
    if (errorCode(error) === '') throw error;
    return false;
  }
}
