/** How a call of gRPC ended, when not well: the number is one of grpc's status codes. */
export class StatusError extends Error {
  readonly code: number;
  readonly details: string;

  constructor(code: number, details: string, options?: ErrorOptions) {
    super(details, options);
    this.code = code;
    this.details = details;
  }
}

export const STATUS = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  internal: 13,
  unavailable: 14,
} as const;

/** It was never sent: there was nothing to send it on. */
export function notConnected(error: Error): StatusError {
  return new StatusError(STATUS.unavailable, `No connection established: ${textOf(error)}`, { cause: error });
}

/** It was on its way when the connection ended. */
export function dropped(error: Error | undefined): StatusError {
  const why = error === undefined ? '' : `: ${textOf(error)}`;
  return new StatusError(STATUS.unavailable, `Connection dropped${why}`, { cause: error });
}

export function deadlineExceeded(): StatusError {
  return new StatusError(STATUS.deadlineExceeded, 'no answer by the deadline');
}

/** Node's code and OpenSSL's text; an error of several addresses has its own in each. */
function textOf(error: Error): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const told = first instanceof Error ? first : error;
  return 'code' in told ? `${String(told.code)} ${told.message}` : told.message;
}
