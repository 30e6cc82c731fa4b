import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Argv } from './host.ts';
import { errorCode } from './live-errors.ts';
import { notStarted, PROGRAM_ENVIRONMENT } from './live-exec.ts';

/** Node's own spawn: a runner that gathers output has nothing to do with a program that never ends. */
export async function followProgram(argv: Argv, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
  const wrapped = (await canTieToUs()) ? ([...TIED, ...argv] as const) : argv;
  if (signal.aborted) return;
  const [program, ...args] = wrapped;
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, args, { cwd: '/', env: PROGRAM_ENVIRONMENT, stdio: ['ignore', 'pipe', 'ignore'] });
    const stop = () => void child.kill('SIGTERM');
    const forget = killWithUs(() => child.kill('SIGKILL'));
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', stop);
      forget();
      settle();
    };
    const fail = (code: string | undefined, cause?: unknown) =>
      end(() => reject(notStarted(argv[0], { code, cause, shortMessage: '' })));
    signal.addEventListener('abort', stop);
    createInterface({ input: child.stdout }).on('line', onLine);
    child.once('error', (error) => fail(errorCode(error), error));
    child.once('close', (code) => {
      const failure = wrapped === argv || code === null ? undefined : FAILURES_OF_SETPRIV[code];
      if (failure === undefined) end(resolve);
      else fail(failure);
    });
  });
}

/**
 * A program that only listens does not notice that nobody reads it any more: after a SIGKILL of ours it would stay until the next event.
 * With this the kernel ends it with us (prctl(2), PR_SET_PDEATHSIG).
 */
const TIED = ['setpriv', '--pdeathsig', 'TERM'] as const;

/** What it exits with when it cannot start the program (util-linux exec: 126, 127). */
const FAILURES_OF_SETPRIV: Readonly<Record<number, string>> = { 126: 'EACCES', 127: 'ENOENT' };

/** Busybox has a setpriv that knows no such option, and other hosts have none. */
function canTieToUs(): Promise<boolean> {
  const [program, ...args] = TIED;
  return new Promise((resolve) => {
    execFile(program, [...args, 'true'], { cwd: '/', env: PROGRAM_ENVIRONMENT }, (error) => resolve(error === null));
  });
}

function killWithUs(kill: () => void): () => void {
  process.on('exit', kill);
  return () => process.off('exit', kill);
}
