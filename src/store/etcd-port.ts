import { connect } from 'node:net';

/** What grpc-js rejects with, as far as errors are told by it. */
class StatusError extends Error {
  readonly code: number;
  readonly details: string;

  constructor(code: number, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

/**
 * Resolves when the port of `10.0.0.1:2379` takes or refuses a connection. grpc-js does not end a connection attempt when
 * its channel is closed: one that nobody answers would keep the process alive for minutes.
 * @throws as grpc-js, a status with code and details, when nobody answers by the deadline or `signal` fires.
 */
export function waitForPort(address: string, until: { deadline: number; signal: AbortSignal }): Promise<void> {
  const target = targetOf(address);
  if (target === undefined) return Promise.reject(new StatusError(UNAVAILABLE, 'missing port in address'));
  return new Promise((resolve, reject) => {
    const socket = connect(target);
    const settle = (error?: StatusError) => {
      clearTimeout(timer);
      until.signal.removeEventListener('abort', onAbort);
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const onAbort = () => settle(new StatusError(UNAVAILABLE, 'the client was closed'));
    const onTime = () => settle(new StatusError(DEADLINE_EXCEEDED, 'no answer to the connection attempt'));
    const timer = setTimeout(onTime, Math.max(0, until.deadline - Date.now()));
    until.signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => settle());
    // grpc meets the same error and tells it in its own words
    socket.once('error', () => settle());
  });
}

function targetOf(address: string): { readonly host: string; readonly port: number } | undefined {
  const url = URL.canParse(`tcp://${address}`) ? new URL(`tcp://${address}`) : undefined;
  if (url === undefined || url.port === '') return undefined;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) };
}
