import { type ExitCode, FlannelctlError } from './errors.ts';
import { printable } from './render/printable.ts';

/** What a failed command leaves behind: the sentences for stderr, the document for stdout, the exit code. */
export interface Failure {
  readonly exitCode: ExitCode;
  /** Lines for a person, without an end of line. */
  readonly text: string;
  /** The document of kind `Error`. */
  readonly document: ErrorDocument;
}

export interface ErrorDocument {
  readonly apiVersion: 'flannelctl.dev/v1';
  readonly kind: 'Error';
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly exitCode: ExitCode;
    readonly hint?: string;
  };
}

/** Turns whatever was thrown into what is shown; a stack only with `debug`. Anything but a FlannelctlError is a bug: 70. */
export function failureOf(thrown: unknown, { debug }: { readonly debug: boolean }): Failure {
  const known = thrown instanceof FlannelctlError ? thrown : undefined;
  const message = printable(known?.message ?? `flannelctl has a bug: ${messageOf(thrown)}`);
  const hint = known === undefined ? 'Run it again with --debug and report what it prints.' : known.hint;
  const exitCode = known?.exitCode ?? 70;
  const lines = [`Error: ${message}`, hint, debug ? stackOf(thrown) : undefined];
  return {
    exitCode,
    text: lines.filter((line) => line !== undefined).join('\n'),
    document: {
      apiVersion: 'flannelctl.dev/v1',
      kind: 'Error',
      error: { code: known?.code ?? 'bug', message, exitCode, ...(hint === undefined ? {} : { hint }) },
    },
  };
}

/** Whether the command line asks for JSON, also one that could not be parsed. */
export function asksForJson(argv: readonly string[]): boolean {
  const own = beforeDoubleDash(argv);
  return own.some((word, at) => JSON_WORDS.has(word) || (OUTPUT_WORDS.has(word) && own[at + 1] === 'json'));
}

/** Whether one of the words stands in front of `--`, behind which everything belongs to another program. */
export function names(argv: readonly string[], words: readonly string[]): boolean {
  return beforeDoubleDash(argv).some((word) => words.includes(word));
}

const JSON_WORDS = new Set(['--json', '-ojson', '-o=json', '--output=json']);
const OUTPUT_WORDS = new Set(['-o', '--output']);

function beforeDoubleDash(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end === -1 ? argv : argv.slice(0, end);
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function stackOf(thrown: unknown): string | undefined {
  return thrown instanceof Error ? thrown.stack : undefined;
}
