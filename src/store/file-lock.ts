import { randomUUID } from 'node:crypto';
import { AbsentError, ConflictError, UnavailableError } from '../errors.ts';
import type { Clock } from '../host/clock.ts';
import type { Host, HostWriter } from '../host/host.ts';

export interface LockParts {
  readonly host: Host;
  readonly writer: HostWriter;
  readonly clock: Clock;
}

const WAIT_MS = 5000;
const PAUSE_MS = 25;
/**
 * A lock is held for one read and one write, some milliseconds. Its holder is not looked up by pid: it may live in another
 * pid namespace, as the nodes of a drill do.
 */
const STALE_MS = 10_000;

/**
 * Runs `work` as the only one who holds `path`, a file that is made for it. `assertHeld` belongs right before a write:
 * @throws {ConflictError} there when somebody took the lock for abandoned.
 * @throws {UnavailableError} `timeout` when others hold it for longer than five seconds.
 */
export async function withLock<T>(
  parts: LockParts,
  path: string,
  work: (assertHeld: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const token = randomUUID();
  await takeLock(parts, path, token);
  const isHeld = async () => (await readLock(parts.host, path))?.token === token;
  try {
    return await work(async () => {
      if (!(await isHeld())) throw new ConflictError(`the lock ${path} was taken over while it was held`);
    });
  } finally {
    if (await isHeld()) await parts.writer.remove(path);
  }
}

async function takeLock(parts: LockParts, path: string, token: string): Promise<void> {
  const { clock } = parts;
  const giveUpAt = clock.monotonic() + WAIT_MS;
  while (!(await tryCreate(parts.writer, path, token))) {
    await removeIfStale(parts, path);
    if (clock.monotonic() > giveUpAt) {
      throw new UnavailableError('timeout', `the lock ${path} is held by another process for more than 5 s`, {
        hint: `Remove ${path} when nothing uses the store.`,
      });
    }
    await clock.sleep(PAUSE_MS);
  }
}

/** Only one process at a time may break a lock: else the second would remove what the first has just made anew. */
async function removeIfStale({ host, writer, clock }: LockParts, path: string): Promise<void> {
  const isStale = (lock: LockFile | undefined) => lock !== undefined && clock.now() - lock.modifiedAt > STALE_MS;
  if (!isStale(await readLock(host, path))) return;
  const breaker = `${path}.break`;
  if (!(await tryCreate(writer, breaker, ''))) {
    if (isStale(await readLock(host, breaker))) await writer.remove(breaker);
    return;
  }
  if (isStale(await readLock(host, path))) await writer.remove(path);
  await writer.remove(breaker);
}

interface LockFile {
  readonly token: string;
  /** Epoch ms. */
  readonly modifiedAt: number;
}

async function readLock(host: Host, path: string): Promise<LockFile | undefined> {
  try {
    return { modifiedAt: (await host.stat(path)).modifiedAt, token: await host.readFile(path) };
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}

async function tryCreate(writer: HostWriter, path: string, content: string): Promise<boolean> {
  try {
    await writer.createFile(path, content);
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}
