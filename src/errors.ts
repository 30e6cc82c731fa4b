/** Why something could not be looked at. A value of this type never counts as healthy. */
export type UnknownReason =
  | 'permission'
  | 'timeout'
  | 'missing-tool'
  | 'unreachable'
  | 'unsupported'
  | 'malformed'
  | 'crash';

/** What a command ends with; the meanings are listed in `flannelctl help exit-codes`. */
export type ExitCode = 0 | 1 | 2 | 3 | 64 | 65 | 69 | 70 | 73 | 75 | 77 | 130 | 143;

export interface ErrorOptions {
  readonly cause?: unknown;
  /** The next step, in the imperative: "Check --etcd-endpoints." */
  readonly hint?: string;
}

/** An error somebody can act on. Everything else that is thrown is a bug in flannelctl (exit 70). */
export class FlannelctlError extends Error {
  /** Kebab-case, stable: the `error.code` of the JSON document. */
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(kind: { code: string; exitCode: ExitCode }, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.code = kind.code;
    this.exitCode = kind.exitCode;
    this.hint = options.hint;
  }
}

/** It could not be looked at: the reason says why, the message names what. */
export class UnavailableError extends FlannelctlError {
  readonly reason: UnknownReason;

  constructor(reason: UnknownReason, message: string, options: ErrorOptions = {}) {
    super({ code: reason, exitCode: exitCodeOf(reason) }, message, options);
    this.reason = reason;
  }
}

/** It was looked at and is not there. */
export class AbsentError extends FlannelctlError {
  constructor(message: string, options: ErrorOptions = {}) {
    super({ code: 'absent', exitCode: 3 }, message, options);
  }
}

/** The state changed since it was read, or somebody else holds it: nothing was written. */
export class ConflictError extends FlannelctlError {
  constructor(message: string, options: ErrorOptions = {}) {
    super({ code: 'conflict', exitCode: 75 }, message, options);
  }
}

export interface ApplyFailure {
  /** The line as it was given to `ip` or `bridge`, or what was written where. */
  readonly operation: string;
  readonly message: string;
}

/** Some operations of a plan did not take effect; the others did. */
export class ApplyError extends FlannelctlError {
  readonly failures: readonly ApplyFailure[];

  constructor(failures: readonly ApplyFailure[], options: ErrorOptions = {}) {
    const first = failures[0];
    const head = first === undefined ? 'nothing could be applied' : `${first.operation}: ${first.message}`;
    const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : '';
    super({ code: 'apply-failed', exitCode: 1 }, `${head}${more}`, options);
    this.failures = failures;
  }
}

/** A flag, an argument or an id that the command does not know or cannot take. */
export class UsageError extends FlannelctlError {
  constructor(message: string, options: ErrorOptions = {}) {
    super({ code: 'usage', exitCode: 64 }, message, options);
  }
}

/** A file or document given by the user that is not what it should be. */
export class InputError extends FlannelctlError {
  constructor(message: string, options: ErrorOptions = {}) {
    super({ code: 'bad-input', exitCode: 65 }, message, options);
  }
}

/** An output file cannot be written; nothing was changed. */
export class OutputError extends FlannelctlError {
  constructor(message: string, options: ErrorOptions = {}) {
    super({ code: 'cannot-write', exitCode: 73 }, message, options);
  }
}

/** SIGINT or SIGTERM came, whose name is the signal's reason. */
export class InterruptedError extends FlannelctlError {
  /** `unsure`: what may have happened or not, for the end of the sentence. */
  constructor({ reason }: AbortSignal, unsure?: string) {
    const isTerm = reason === 'SIGTERM';
    const more = unsure === undefined ? '' : `: it is not known whether ${unsure}`;
    super(
      { code: 'interrupted', exitCode: isTerm ? 143 : 130 },
      `interrupted by ${isTerm ? 'SIGTERM' : 'SIGINT'}${more}`,
    );
  }
}

function exitCodeOf(reason: UnknownReason): ExitCode {
  switch (reason) {
    case 'permission':
      return 77;
    case 'crash':
      return 70;
    case 'malformed':
      return 65;
    case 'timeout':
    case 'unreachable':
      return 69;
    case 'missing-tool':
    case 'unsupported':
      return 2;
  }
}
