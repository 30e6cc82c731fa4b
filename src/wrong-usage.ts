import { Errors } from '@oclif/core';
import { UsageError } from './errors.ts';
import { nearest } from './nearest.ts';

/** The command that was called, as far as it matters for what to write instead. */
export interface CalledCommand {
  /** As typed: `leases list`. */
  readonly name: string;
  /** Long names of its flags, without dashes. */
  readonly flags: readonly string[];
}

/** oclif's complaint about a command line, also one that was told already, as a {@link UsageError}; anything else as it is. */
export function wrongUsage(thrown: unknown, called: CalledCommand): unknown {
  const complaint = thrown instanceof UsageError ? thrown.cause : thrown;
  if (!(complaint instanceof Errors.CLIError) || complaint instanceof Errors.ExitError) return thrown;
  const meant = meantFlag(complaint, called.flags);
  const help = `See flannelctl ${called.name} --help.`;
  const hint = meant === undefined ? help : `Did you mean --${meant}? ${help}`;
  return new UsageError(sentence(complaint.message), { cause: complaint, hint });
}

/** oclif adds where help is found, indents lists under a heading, and explains flags that nobody gave. */
function sentence(message: string): string {
  return message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !BESIDE_THE_POINT.test(line))
    .join('; ')
    .replace(/:;/g, ':');
}

const BESIDE_THE_POINT =
  /^(See more help with --help|The following errors? occurred:|Note: --.* allow multiple values\..*|Alternatively, you can use "--" .*)$/;

function meantFlag(error: Error, flags: readonly string[]): string | undefined {
  if (!('flags' in error) || !Array.isArray(error.flags)) return undefined;
  const [wrong] = error.flags;
  return typeof wrong === 'string' ? nearest(wrong.replace(/^-+/, ''), flags) : undefined;
}
