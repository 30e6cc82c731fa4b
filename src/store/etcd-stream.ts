import type { IWatchCreateRequest, IWatchResponse } from 'etcd3';
import { UnavailableError } from '../errors.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import { describeFailure, seconds, unavailable } from './etcd-errors.ts';
import { CompactedError } from './etcd-pages.ts';
import { escapeText } from './untrusted-text.ts';

export interface WatchStream {
  readonly connection: EtcdConnection;
  readonly request: IWatchCreateRequest;
  readonly signal: AbortSignal;
  /** For etcd to say that the watch is there. */
  readonly timeoutMs: number;
}

/**
 * The messages of one watch on one connection, one asked for after the other, so that a slow reader makes etcd wait and not
 * this process grow. Ends when `signal` aborts.
 * @throws {CompactedError} when the first revision is no longer kept; {UnavailableError} for every other end.
 */
export async function* watchMessages({ connection, request, signal, timeoutMs }: WatchStream) {
  const { endpoint } = connection;
  const late = new UnavailableError('timeout', `etcd ${endpoint} did not begin the watch within ${seconds(timeoutMs)}`);
  const tooLate = Promise.withResolvers<never>();
  const timer = setTimeout(() => tooLate.reject(late), timeoutMs);
  const opening = connection.watch(request);
  const cancel = () =>
    void opening.then(
      (call) => call.cancel(),
      () => undefined,
    );
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    const call = await Promise.race([opening, tooLate.promise]);
    const messages = call.messages();
    const first = await Promise.race([messages.next(), tooLate.promise]);
    clearTimeout(timer);
    if (first.done !== true) yield assertWatching(first.value, endpoint);
    for await (const message of messages) yield assertWatching(message, endpoint);
    throw new UnavailableError('unreachable', `etcd ${endpoint} ended the watch`);
  } catch (error) {
    if (signal.aborted) return;
    throw isOurs(error) ? error : unavailable([describeFailure(endpoint, error, timeoutMs)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

function assertWatching(message: IWatchResponse, endpoint: string): IWatchResponse {
  if (!message.canceled) return message;
  if (message.compact_revision !== '0') throw new CompactedError('the watch is behind what is kept');
  // a user whose token has run out is told the same as one who may not read
  const why = message.cancel_reason === '' ? 'without a reason' : escapeText(message.cancel_reason);
  throw new UnavailableError('unreachable', `etcd ${endpoint} ended the watch: ${why}`);
}

function isOurs(error: unknown): boolean {
  return error instanceof UnavailableError || error instanceof CompactedError;
}
