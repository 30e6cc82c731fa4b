import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Argv } from './host.ts';
import { errorCode } from './live-errors.ts';
import { notStarted } from './live-exec.ts';

/**
 * Runs a program on our own terminal, with our environment, and resolves to its exit code; 128 + N when signal N ended it. Signals of
 * the terminal reach it as they reach us: we only wait.
 */
export function runAttached([program, ...args]: Argv): Promise<number> {
  return new Promise((resolve, reject) => {
    const leaveToChild = () => undefined;
    for (const name of ['SIGINT', 'SIGQUIT'] as const) process.on(name, leaveToChild);
    const child = spawn(program, args, { stdio: 'inherit' });
    child.once('error', (error) => reject(notStarted(program, { code: errorCode(error), cause: error })));
    child.once('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGQUIT'] as const) process.off(name, leaveToChild);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
