import { UnavailableError } from '../errors.ts';

/**
 * A write was sent, and neither an answer nor the record itself tells whether it took effect. It compares what it replaces,
 * so it takes effect once at most, whenever it arrives.
 */
export class OutcomeUnknownError extends UnavailableError {
  /** `what`: the object of the sentence, `10.244.7.0-24`. */
  constructor(failure: UnavailableError, what: string) {
    super(failure.reason, `${failure.message}; it is not known whether ${what} was written`, {
      cause: failure.cause,
      hint: 'Read the datastore again before anything else is done.',
    });
  }
}
