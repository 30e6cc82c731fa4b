import { Command, Errors, Flags } from '@oclif/core';
import { UsageError } from './errors.ts';
import { INTEGER_FLAGS } from './flannel-flags.ts';
import { fromGoEnvironment } from './go-environment.ts';
import type { Surface } from './render/style.ts';

export type Language = 'en' | 'zh';

const GLOBAL = { helpGroup: 'GLOBAL' };

interface OutputFlags {
  readonly output: string | undefined;
  readonly json: boolean;
}

/**
 * What every command has in common. A command implements {@link execute}: its number becomes the exit code, what it throws is told and
 * becomes an exit code in one place, the entry. Nobody calls process.exit().
 */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    lang: Flags.option({
      ...GLOBAL,
      options: ['en', 'zh'] as const,
      summary: 'language of sentences; default: from LANG',
    })(),
    output: Flags.string({ ...GLOBAL, char: 'o', summary: 'output format' }),
    json: Flags.boolean({ ...GLOBAL, summary: 'same as -o json' }),
    root: Flags.string({ ...GLOBAL, summary: "the host's root when run in a container: /host", default: '/' }),
    timeout: Flags.string({ ...GLOBAL, summary: 'give up after this long: 500ms, 5s, 2m' }),
    'no-color': Flags.boolean({ ...GLOBAL, summary: 'no colour; also NO_COLOR' }),
    'no-input': Flags.boolean({ ...GLOBAL, summary: 'never ask' }),
    quiet: Flags.boolean({ ...GLOBAL, char: 'q', summary: 'no progress, no warnings' }),
    verbose: Flags.boolean({ ...GLOBAL, char: 'v', summary: 'say more' }),
    debug: Flags.boolean({ ...GLOBAL, summary: 'stack traces of errors' }),
  };

  /** The work of the command; resolves to the exit code. @throws {FlannelctlError} for what somebody can act on. */
  protected abstract execute(): Promise<number>;

  /** oclif would take what is on standard input for an argument that is not given: a loop over `hosts` names no CHECK. */
  protected override async init(): Promise<void> {
    await super.init();
    this.#readAsFlanneld();
    for (const arg of Object.values(this.ctor.args)) arg.ignoreStdin = true;
  }

  /** oclif reads the environment by itself, and takes other words for booleans than flanneld. A command may have no flags of its own. */
  #readAsFlanneld(): void {
    const { values, ignored } = fromGoEnvironment(process.env, { ...this.ctor.flags }, INTEGER_FLAGS);
    for (const [name, value] of values) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    for (const line of ignored) this.note(line);
  }

  /** oclif's own complaint about flags and arguments, without its context, as what it is: wrong usage. */
  protected override async catch(error: Error): Promise<never> {
    if (!(error instanceof Errors.CLIError && 'parse' in error)) throw error;
    const [message = error.message] = error.message.split('\nSee more help');
    throw new UsageError(message, {
      cause: error,
      hint: `See: flannelctl ${(this.id ?? '').replaceAll(':', ' ')} --help`,
    });
  }

  readonly #over = new AbortController();

  /** Aborted when the command is over: nothing it started is waited for any longer. */
  protected get over(): AbortSignal {
    return this.#over.signal;
  }

  override async run(): Promise<void> {
    try {
      process.exitCode = await this.execute();
    } finally {
      this.#over.abort();
    }
  }

  /** One report on stdout. */
  protected print(text: string): void {
    if (text !== '') process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Progress and warnings, on stderr. */
  protected note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** @throws {UsageError} for a format that this command does not have. */
  protected format<F extends string>(flags: OutputFlags, formats: readonly [F, ...F[]]): F {
    const wanted = flags.json ? 'json' : (flags.output ?? formats[0]);
    const format = formats.find((one) => one === wanted);
    if (format === undefined) throw new UsageError(`-o takes ${formats.join(', ')}, not ${JSON.stringify(wanted)}`);
    return format;
  }

  protected language(flags: { readonly lang: Language | undefined }): Language {
    const { LC_ALL, LC_MESSAGES, LANG } = process.env;
    return flags.lang ?? (/^zh/i.test(LC_ALL || LC_MESSAGES || LANG || '') ? 'zh' : 'en');
  }

  /** How stdout is to be written. */
  protected surface(flags: { readonly 'no-color': boolean }): Surface {
    const { NO_COLOR, TERM } = process.env;
    const isTerminal = process.stdout.isTTY === true && TERM !== 'dumb';
    return {
      isTerminal,
      hasColor: isTerminal && !flags['no-color'] && !NO_COLOR,
      columns: process.stdout.columns ?? 100,
    };
  }

  /** Whether somebody is there to answer a question. */
  protected canAsk(flags: { readonly 'no-input': boolean }): boolean {
    return !flags['no-input'] && process.stdin.isTTY === true && process.stderr.isTTY === true;
  }

  /** Anything but yes is no; so is the end of the input, and the end of the run while nobody has answered. */
  protected async confirm(question: string, stop?: AbortSignal): Promise<boolean> {
    const { createInterface } = await import('node:readline/promises');
    const prompt = createInterface({ input: process.stdin, output: process.stderr });
    const { promise: ended, resolve: end } = Promise.withResolvers<string>();
    prompt.once('close', () => end(''));
    // The terminal is in raw mode and sends no signal of its own.
    prompt.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    const onStop = () => prompt.close();
    stop?.addEventListener('abort', onStop, { once: true });
    try {
      return /^(y|yes|是)$/i.test((await Promise.race([prompt.question(`${question} [y/N] `), ended])).trim());
    } finally {
      stop?.removeEventListener('abort', onStop);
      prompt.close();
    }
  }

  /** Aborts with the signal's name on the first SIGINT or SIGTERM (a second one ends the process as usual), or when time is over. */
  protected deadline(ms: number, stop: AbortSignal = this.stopSignal()): AbortSignal {
    return AbortSignal.any([stop, AbortSignal.timeout(ms)]);
  }

  /** As {@link deadline}, for what goes on until it is told to stop. */
  protected stopSignal(): AbortSignal {
    const controller = new AbortController();
    // Not `once`: a library that finds nobody else listening ends the process itself (signal-exit, which execa uses).
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        if (controller.signal.aborted) process.removeAllListeners(name).kill(process.pid, name);
        controller.abort(name);
      });
    }
    return controller.signal;
  }

  /** Tells on a terminal how far the work is; the line goes away at its end. */
  protected progress(flags: { readonly quiet: boolean }): (done: number, total: number) => void {
    const isTerminal = process.stderr.isTTY === true && process.stdout.isTTY === true;
    const isShown = !flags.quiet && isTerminal && process.env['TERM'] !== 'dumb';
    return (done, total) => {
      if (isShown) process.stderr.write(done < total ? `\r${done}/${total} ` : '\r\u001b[K');
    };
  }
}
