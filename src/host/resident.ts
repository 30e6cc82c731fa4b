import type { Argv } from './host.ts';

/** What only a process that stays needs of the machine. Handed to the agent alone. */
export interface Resident {
  /**
   * Runs a program for as long as `signal` lasts and tells each line it prints; ends with it, and with us.
   * Resolves when the signal aborted or the program ended by itself.
   * @throws {UnavailableError} `missing-tool`, `permission` when it cannot be started.
   */
  follow(argv: Argv, onLine: (line: string) => void, signal: AbortSignal): Promise<void>;
  /** Answers GET requests. @throws {UnavailableError} `unsupported` when the port is taken, `permission` when it may not be bound. */
  serve(place: ServePlace, answer: (path: string) => Promise<HttpAnswer>): Promise<Closable>;
  /**
   * Holds a name in this network namespace; the kernel lets go of it when the process ends, however it ends. Whoever asks for the
   * name is given `answer()`.
   * @throws {ConflictError} when another process holds it.
   */
  hold(name: string, answer: () => string): Promise<Closable>;
  /** What the holder of a name in this network namespace answers; `undefined`: nobody holds it. */
  ask(name: string): Promise<string | undefined>;
  /** Tells systemd (`READY=1`, `WATCHDOG=1`, `STATUS=…`); does nothing where systemd did not start us. */
  notify(...states: readonly string[]): Promise<void>;
  /** Gives back the memory that a burst of work left behind; the engine would keep it for the next one. */
  releaseMemory(): void;
  /** Milliseconds within which systemd wants to hear of us; `undefined`: it does not ask (sd_watchdog_enabled(3)). */
  readonly watchdogMs: number | undefined;
}

export interface ServePlace {
  readonly address: string;
  readonly port: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface Closable {
  close(): Promise<void>;
}
