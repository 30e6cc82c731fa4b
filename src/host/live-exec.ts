import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { UnavailableError } from '../errors.ts';
import type { Argv, ExecOptions, ExecResult } from './host.ts';

/** The system's own directories only: what root runs must not depend on who called it. The last is NixOS. */
export const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';
/** Everything that a program sees of the environment; `C` keeps messages in the language that is parsed. */
export const PROGRAM_ENVIRONMENT = { PATH: PROGRAM_PATH, LC_ALL: 'C' };

const DEFAULT_TIMEOUT_MS = 5000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 500;

/**
 * Runs a program without a shell, in a process group of its own, from `/`; resolves whatever the exit code.
 * `over` ends it: a command that is over waits for no program.
 */
export async function runProgram(argv: Argv, options: ExecOptions = {}, over?: AbortSignal): Promise<ExecResult> {
  const { execa } = await import('execa');
  const [program, ...args] = argv;
  const timeoutMs = Math.max(1, Math.round(options.timeoutMs ?? DEFAULT_TIMEOUT_MS));
  const running = execa(program, args, {
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    cwd: '/',
    env: PROGRAM_ENVIRONMENT,
    extendEnv: false,
    timeout: timeoutMs,
    forceKillAfterDelay: GRACE_MS,
    killDescendants: true,
    ...(over === undefined ? {} : { cancelSignal: over }),
    // Collected here: a failure would otherwise copy the whole output, escaped, into its message.
    buffer: false,
    reject: false,
  });
  const kill = () => running.kill('SIGKILL');
  const output = [collect(running.stdout, kill), collect(running.stderr, kill)] as const;
  const ended = await endedInTime(running, timeoutMs + 2 * GRACE_MS);
  return resultOf({ program, timeoutMs, ended, output });
}

interface Collected {
  isTooMuch: boolean;
  readonly chunks: Buffer[];
}

function collect(stream: Readable, onTooMuch: () => void): Collected {
  const collected: Collected = { isTooMuch: false, chunks: [] };
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_OUTPUT_BYTES) return void collected.chunks.push(chunk);
    collected.isTooMuch = true;
    stream.destroy();
    onTooMuch();
  });
  return collected;
}

/** A descendant that left the process group may hold the output open for ever: then the program is given up. */
async function endedInTime(running: Running, limitMs: number): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const timer = setTimeout(() => resolve({ timedOut: true }), limitMs);
  try {
    return await Promise.race([running, promise]);
  } finally {
    clearTimeout(timer);
    running.stdout.destroy();
    running.stderr.destroy();
  }
}

interface Running extends PromiseLike<Ended> {
  readonly stdout: Readable;
  readonly stderr: Readable;
}

interface Ended {
  readonly timedOut: boolean;
  readonly isCanceled?: boolean | undefined;
  readonly exitCode?: number | undefined;
  readonly signal?: keyof typeof constants.signals | undefined;
  readonly code?: string | undefined;
  readonly cause?: unknown;
  readonly shortMessage?: string | undefined;
}

interface Run {
  readonly program: string;
  readonly timeoutMs: number;
  readonly ended: Ended;
  readonly output: readonly [stdout: Collected, stderr: Collected];
}

function resultOf({ program, timeoutMs, ended, output }: Run): ExecResult {
  if (output.some(({ isTooMuch }) => isTooMuch)) {
    throw new UnavailableError('malformed', `${program} printed more than 64 MiB`);
  }
  if (ended.isCanceled === true) throw new UnavailableError('timeout', `${program} was ended before it was done`);
  if (ended.timedOut) {
    throw new UnavailableError('timeout', `${program} did not end within ${timeoutMs} ms and was killed`);
  }
  const exitCode = ended.exitCode ?? (ended.signal === undefined ? undefined : 128 + constants.signals[ended.signal]);
  if (exitCode === undefined) throw notStarted(program, ended);
  const [stdout, stderr] = output;
  return { exitCode, stdout: textOf(stdout), stderr: textOf(stderr) };
}

function textOf({ chunks }: Collected): string {
  return Buffer.concat(chunks).toString('utf8');
}

/** Why a program did not start. */
export function notStarted(program: string, ended: Pick<Ended, 'code' | 'cause' | 'shortMessage'>): UnavailableError {
  const { code, cause } = ended;
  if (code === 'ENOENT') {
    return new UnavailableError('missing-tool', `${program} is not installed`, {
      cause,
      hint: `Install ${program}; it was looked for in ${PROGRAM_PATH}.`,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new UnavailableError('permission', `no permission to run ${program}`, { cause, hint: 'Run it as root.' });
  }
  return new UnavailableError('unsupported', `${program} could not be started (${code ?? ended.shortMessage})`, {
    cause,
  });
}
