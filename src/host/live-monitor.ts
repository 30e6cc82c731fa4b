import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Argv } from './host.ts';
import { errorCode } from './live-errors.ts';
import { notStarted, PROGRAM_ENVIRONMENT } from './live-exec.ts';

/** Node's own spawn: a runner that gathers output has nothing to do with a program that never ends. */
export function followProgram(
  [program, ...args]: Argv,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve();
    const child = spawn(program, args, { cwd: '/', env: PROGRAM_ENVIRONMENT, stdio: ['ignore', 'pipe', 'ignore'] });
    const stop = () => void child.kill('SIGTERM');
    const forget = killWithUs(() => child.kill('SIGKILL'));
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', stop);
      forget();
      settle();
    };
    signal.addEventListener('abort', stop);
    createInterface({ input: child.stdout }).on('line', onLine);
    child.once('error', (error) => end(() => reject(notStarted(program, { code: errorCode(error), cause: error }))));
    child.once('close', () => end(resolve));
  });
}

function killWithUs(kill: () => void): () => void {
  process.on('exit', kill);
  return () => process.off('exit', kill);
}
