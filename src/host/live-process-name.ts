import { writeFile } from 'node:fs/promises';

/** The name this process has in /proc/PID/comm, at most 15 bytes. Node calls its main thread MainThread, whatever was started. */
export async function writeProcessName(name: string): Promise<void> {
  await writeFile('/proc/self/comm', name);
}
