import { writeFile } from 'node:fs/promises';
import { errorCode } from './live-errors.ts';

/**
 * The name this process has in /proc/PID/comm, at most 15 bytes: what pgrep and ps look at. Node calls its main thread MainThread, whatever
 * was started, and that stays where /proc is not there or may not be written.
 */
export async function writeProcessName(name: string): Promise<void> {
  try {
    await writeFile('/proc/self/comm', name);
  } catch (error) {
    if (!['ENOENT', 'EACCES', 'EPERM', 'EROFS'].includes(errorCode(error))) throw error;
  }
}
