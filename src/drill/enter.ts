import { UnavailableError } from '../errors.ts';
import type { Argv, ExecOptions, ExecResult, Host } from '../host/host.ts';
import type { Holder } from './holder.ts';
import { NODE_BIN } from './layout.ts';

export type Runner = Pick<Host, 'exec'>;

/** A command line that runs in all namespaces of the holder. */
export function entering(holder: Holder, argv: readonly string[]): Argv {
  return ['nsenter', '-t', String(holder.pid), '-m', '-u', '-n', '-p', '--', ...argv];
}

/** A command line that runs on the machine, but in the network of the holder. */
export function enteringNetwork(holder: Holder, argv: readonly string[]): Argv {
  return ['nsenter', '-t', String(holder.pid), '-n', '--', ...argv];
}

/** For a person at a terminal: with their environment, and flannelctl in the PATH. */
export function terminalCommand(holder: Holder, argv: readonly string[]): Argv {
  const script = `PATH=${NODE_BIN}:$PATH exec "$@"`;
  return entering(holder, ['sh', '-c', script, 'sh', ...argv]);
}

/**
 * Standard output of a program that must succeed.
 * @throws {UnavailableError} with what it said.
 */
export async function must(host: Runner, argv: Argv, options?: ExecOptions): Promise<string> {
  const result = await host.exec(argv, options);
  if (result.exitCode === 0) return result.stdout;
  throw new UnavailableError('unsupported', failureText(argv, result));
}

/** Names the program that was meant, not the one that enters the namespaces. */
function failureText(argv: Argv, { exitCode, stdout, stderr }: ExecResult): string {
  const own = argv[0] === 'nsenter' ? argv.slice(argv.indexOf('--') + 1) : argv;
  const command = own.map((word) => (word.length > 200 ? '…' : word)).join(' ');
  const said = (stderr.trim() || stdout.trim()).slice(0, 500);
  return `${JSON.stringify(command)} ended with ${exitCode}: ${JSON.stringify(said)}`;
}
