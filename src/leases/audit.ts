import type { Clock } from '../host/clock.ts';
import type { HostWriter } from '../host/host.ts';

/** Tells of every deletion as it happens: to whoever looks on, and in a log that stays. */
export interface Audit {
  /** @throws {OutputError} when the log cannot be written. */
  open(text: string): Promise<void>;
  /** Resolves at once; {@link close} waits for what is still to be written. */
  note(text: string): void;
  /** Waits for what is still to be written; resolves to what went wrong, for a person. `undefined`: nothing. */
  close(): Promise<string | undefined>;
}

export interface AuditOptions {
  readonly writer: HostWriter;
  readonly clock: Clock;
  /** The log: lines are added to it. */
  readonly path: string;
  readonly say: (line: string) => void;
}

/** Lines that come while others are being synced to disk are written together: a thousand deletions do not wait for a thousand syncs. */
export function openAudit({ writer, clock, path, say }: AuditOptions): Audit {
  let waiting: string[] = [];
  let writing: Promise<void> = Promise.resolve();
  const add = (text: string) => {
    waiting.push(`${new Date(clock.now()).toISOString()} ${text}\n`);
    const previous = writing;
    writing = previous.then(async () => {
      const lines = waiting;
      waiting = [];
      if (lines.length > 0) await writer.appendFile(path, lines.join(''), { mode: 0o600 });
    });
    // Whoever closes the log is told; until then a rejection must not count as one that nobody handles.
    void Promise.allSettled([writing]);
  };
  return {
    open: (text) => {
      add(text);
      return writing;
    },
    note: (text) => {
      say(text);
      add(text);
    },
    close: async () => {
      const [end] = await Promise.allSettled([writing]);
      return end.status === 'rejected' ? String(end.reason) : undefined;
    },
  };
}
