import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is left to chance when several clients want the same; the model test leaves it to its seed. */
export interface Chance {
  /** An integer from 0 to below `limit`; 0 where there is nothing to choose from. */
  below(limit: number): number;
  /** So long that two clients that met once do not meet again. */
  pause(): Promise<void>;
}

const LONGEST_PAUSE_MS = 60;

export const chance: Chance = {
  // randomInt refuses a limit of 0
  below: (limit) => (limit > 0 ? randomInt(limit) : 0),
  pause: () => sleep(randomInt(LONGEST_PAUSE_MS)),
};
