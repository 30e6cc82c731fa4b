import { UsageError } from './errors.ts';
import { interrupted, type LeaseSession } from './lease-session.ts';

/** How a command that writes gets its permission. */
export interface Asking {
  /** `--yes`. */
  readonly yes: boolean;
  readonly canAsk: boolean;
  confirm(question: string, stop: AbortSignal): Promise<boolean>;
}

/** Whether it may be done. @throws {UsageError} when nobody is there to ask; {FlannelctlError} 130 or 143 when a signal came instead. */
export async function isAgreed(
  { yes, canAsk, confirm }: Asking,
  question: string,
  { signal }: LeaseSession,
): Promise<boolean> {
  if (yes) return true;
  if (!canAsk) {
    throw new UsageError('this needs to be confirmed and there is no terminal', {
      hint: 'Pass --yes, or --dry-run to see it only.',
    });
  }
  const isConfirmed = await confirm(question, signal);
  if (signal.aborted) throw interrupted(signal);
  return isConfirmed;
}
