import { InterruptedError } from '../errors.ts';
import type { Clock } from '../host/clock.ts';

export interface Interruptible {
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** An etcd that answers at all does so in milliseconds. */
const GRACE_MS = 150;

/**
 * The work, which after a signal has a moment left to end, so that its outcome is known. `unsure`: what is not known when it does not.
 * @throws {InterruptedError} when that moment is over.
 */
export async function promptly<T>(work: Promise<T>, { signal, clock }: Interruptible, unsure?: string): Promise<T> {
  const done = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const begin = () => {
    const end = () => reject(new InterruptedError(signal, unsure));
    clock.sleep(GRACE_MS, done.signal).then(end, () => undefined);
  };
  signal.addEventListener('abort', begin, { once: true });
  if (signal.aborted) begin();
  try {
    return await Promise.race([work, over]);
  } finally {
    signal.removeEventListener('abort', begin);
    done.abort();
  }
}
