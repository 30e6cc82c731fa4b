import { UnavailableError, type UnknownReason } from '../errors.ts';

/**
 * A write was sent and neither an answer nor the record itself tells whether it took effect. It compares what it replaces,
 * so it takes effect once at most, whenever it arrives.
 */
export class OutcomeUnknownError extends UnavailableError {
  constructor(reason: UnknownReason, message: string, what: string, cause: unknown) {
    super(reason, `${message}; it is not known whether ${what} was written`, {
      cause,
      hint: 'Read the leases again before anything else is done.',
    });
  }
}
