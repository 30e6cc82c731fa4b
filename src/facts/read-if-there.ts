import { AbsentError } from '../errors.ts';
import type { Host } from '../host/host.ts';

/** What is not there is `undefined`; what could not be looked at still throws. */
export async function ifThere<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}

/** Text of a file; `undefined`: there is none. */
export function readFileIfThere(host: Host, path: string): Promise<string | undefined> {
  return ifThere(host.readFile(path));
}

/** Names in a directory; none when there is no such directory. */
export async function readDirIfThere(host: Host, path: string): Promise<readonly string[]> {
  return (await ifThere(host.readDir(path))) ?? [];
}
