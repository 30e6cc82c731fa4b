import type { Random } from './random.ts';

/** Lets the actors of one world reach its etcd one after the other, in an order that chance decides. */
export interface Turns {
  /** Turns taken so far: the time in which the history of a world is told. */
  readonly now: number;
  /** Waits for a turn, then does `work` while nobody else in this world moves. */
  take<T>(work: () => Promise<T>): Promise<T>;
  /** Gives one turn; `false`: nobody waits for one. */
  give(): Promise<boolean>;
  /** Resolves when whoever moved has come to wait for the next turn, or has ended. */
  settle(): Promise<void>;
}

interface Ticket {
  /** Not before that turn, unless nobody else waits. */
  readonly notBefore: number;
  go(): Promise<void>;
}

/** Some calls are held back for long: a process that was suspended between two of its steps. */
const HELD = 0.04;
const LONGEST_HOLD = 80;

export function takeTurns(random: Random): Turns {
  const waiting: Ticket[] = [];
  let now = 0;
  return {
    get now() {
      return now;
    },
    take: (work) =>
      new Promise((resolve, reject) => {
        const notBefore = random.isLucky(HELD) ? now + random.below(LONGEST_HOLD) : 0;
        waiting.push({ notBefore, go: () => work().then(resolve, reject) });
      }),
    give: async () => {
      const free = waiting.filter(({ notBefore }) => notBefore <= now);
      const ticket = random.pick(free.length > 0 ? free : waiting);
      if (ticket === undefined) return false;
      waiting.splice(waiting.indexOf(ticket), 1);
      now += 1;
      await ticket.go();
      return true;
    },
    // Between two turns an actor waits for nothing but promises that are settled already.
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  };
}
