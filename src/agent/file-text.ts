import { AbsentError } from '../errors.ts';
import type { Host } from '../host/host.ts';

/** `undefined`: there is no such file. @throws {UnavailableError} when it cannot be read. */
export async function readIfThere(host: Pick<Host, 'readFile'>, path: string): Promise<string | undefined> {
  try {
    return await host.readFile(path);
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}
