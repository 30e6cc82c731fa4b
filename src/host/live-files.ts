import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import { UnavailableError } from '../errors.ts';
import type { FileStat, Host } from './host.ts';
import { readFailure } from './live-errors.ts';
import { pathInRoot } from './live-paths.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** Most files of /proc are not longer, and a run reads hundreds: it is cut from Node's own pool. */
const FIRST_BYTES = 2048;

/** The half of {@link Host} that looks at files below `root`. */
export function liveFiles(root: string): Pick<Host, 'readFile' | 'readDir' | 'readLink' | 'stat'> {
  const looking = async <T>(path: string, followLast: boolean, look: (real: string) => Promise<T>): Promise<T> => {
    try {
      return await look(await pathInRoot(root, path, { followLast }));
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      throw readFailure(error, path);
    }
  };
  return {
    readFile: (path, { maxBytes = MAX_FILE_BYTES } = {}) =>
      looking(path, true, (real) => readWhole(real, path, maxBytes)),
    readDir: (path) => looking(path, true, async (real) => (await readdir(real)).sort()),
    readLink: (path) => looking(path, false, (real) => readlink(real)),
    stat: (path) => looking(path, false, statOf),
  };
}

/** Non-blocking, so that a FIFO somebody put in the place of a file cannot hold us. */
async function readWhole(real: string, path: string, maxBytes: number): Promise<string> {
  // Where links were followed by hand none is left to follow.
  const noFollow = real === path ? 0 : constants.O_NOFOLLOW;
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | noFollow);
  try {
    // Nobody can put anything else into /proc, of which a run reads hundreds.
    const isRegular = path.startsWith('/proc/') || (await file.stat()).isFile();
    if (!isRegular) throw new UnavailableError('unsupported', `${path} is not a regular file`);
    return (await readChunks(file, path, maxBytes)).toString('utf8');
  } finally {
    await file.close();
  }
}

/** Files of /proc say that they are 0 bytes long: read to the end, not to the size. */
async function readChunks(file: FileHandle, path: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const size = total === 0 ? FIRST_BYTES : CHUNK_BYTES;
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    total += bytesRead;
    if (total > maxBytes) throw new UnavailableError('malformed', `${path} is larger than ${maxBytes >> 20} MiB`);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

async function statOf(real: string): Promise<FileStat> {
  const found = await lstat(real);
  return {
    type: typeOf(found),
    sizeBytes: found.size,
    modifiedAt: Math.trunc(found.mtimeMs),
    mode: found.mode & 0o7777,
  };
}

function typeOf(found: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }): FileStat['type'] {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'directory';
  return found.isSymbolicLink() ? 'symlink' : 'other';
}
