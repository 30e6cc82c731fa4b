import { ApplyError, FlannelctlError } from '../errors.ts';

/** One line for a person. What is none of our own errors is a bug, and goes on to be told as one. */
export function problemText(error: unknown): string {
  if (!(error instanceof FlannelctlError)) throw error;
  const head = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  if (!(error instanceof ApplyError)) return head;
  const [, second] = error.failures;
  return second === undefined ? head : `${head}; ${second.operation}: ${second.message}`;
}

/** Whether the datastore could not be asked, as against having said no. */
export function isUnanswered(error: unknown): error is FlannelctlError {
  return error instanceof FlannelctlError && [69, 77].includes(error.exitCode);
}
