import { ConflictError } from '../errors.ts';
import type { Closable, Resident } from '../host/resident.ts';

/** Held in the network namespace by the one program there may be that keeps, makes or removes the overlay. */
export const LOCK_NAME = 'flannelctl-agent';

/**
 * Takes that place; whoever asks its holder is given `answer()`. `hint`: what to do beside an agent that runs already.
 *
 * @throws {ConflictError} while another flannelctl has it.
 */
export async function holdLock(
  resident: Pick<Resident, 'hold'>,
  { answer, hint }: { readonly answer: () => string; readonly hint: string },
): Promise<Closable> {
  try {
    return await resident.hold(LOCK_NAME, answer);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    throw new ConflictError('another flannelctl, up or down, runs in this network namespace', { cause: error, hint });
  }
}
