import { Command, Flags } from '@oclif/core';
import type { ExitCode } from './errors.ts';

export type Language = 'en' | 'zh';

/**
 * Parses, calls, and turns every outcome into the exit codes of the interface: oclif's own exit 1 with `--json` and 2 for a
 * wrong flag. A command implements {@link execute}; results set the exit code, nobody calls process.exit().
 */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    lang: Flags.option({ options: ['en', 'zh'] as const, summary: 'language of sentences' })({ helpGroup: 'GLOBAL' }),
    output: Flags.string({ char: 'o', summary: 'output format', helpGroup: 'GLOBAL' }),
    json: Flags.boolean({ summary: 'same as -o json', helpGroup: 'GLOBAL' }),
    root: Flags.string({
      summary: "the host's root when run in a container: /host",
      default: '/',
      helpGroup: 'GLOBAL',
    }),
    timeout: Flags.string({ summary: 'give up after this long: 500ms, 5s, 2m', helpGroup: 'GLOBAL' }),
    'no-color': Flags.boolean({ summary: 'no colour', helpGroup: 'GLOBAL' }),
    'no-input': Flags.boolean({ summary: 'never ask', helpGroup: 'GLOBAL' }),
    quiet: Flags.boolean({ char: 'q', summary: 'no progress, no warnings', helpGroup: 'GLOBAL' }),
    verbose: Flags.integer({ char: 'v', summary: 'say more', helpGroup: 'GLOBAL' }),
    debug: Flags.boolean({ summary: 'stack traces on errors', helpGroup: 'GLOBAL' }),
  };

  /** The work of the command; the number becomes the exit code. Errors are thrown. */
  protected abstract execute(): Promise<ExitCode>;

  override async run(): Promise<void> {
    process.exitCode = await this.execute();
  }

  /** One report on stdout. */
  protected print(text: string): void {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Progress and warnings, on stderr. */
  protected note(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}
