import type { IRangeResponse, ITxnRequest, ITxnResponse } from 'etcd3';
import { UnavailableError } from '../../src/errors.ts';
import type { EtcdConnection } from '../../src/store/etcd-connection.ts';
import { describeFailure, unavailable } from '../../src/store/etcd-errors.ts';
import type { EtcdCalls, EtcdOperation, EtcdSession } from '../../src/store/etcd-session.ts';
import { OutcomeUnknownError } from '../../src/store/outcome.ts';
import type { Deed, Write } from './deeds.ts';
import { type EtcdTime, TimedLeases } from './etcd-time.ts';
import type { Random } from './random.ts';
import type { Turns } from './turns.ts';

/** What the actors of one world share. */
export interface Wire {
  readonly connection: EtcdConnection;
  readonly turns: Turns;
  readonly time: EtcdTime;
  readonly random: Random;
  /** Who gave a revision. */
  readonly writes: Map<string, Write>;
  /** Objects of writes whose answer was lost, by what they belong to. */
  readonly lost: Map<Deed, Set<string>>;
  /** Whether calls may fail. */
  isFaulty: boolean;
}

/**
 * A session with a real etcd in which every call waits for its turn, and some fail: a reading that is not answered, a write whose answer
 * is lost, or that never arrives, or that arrives when its sender has long given up.
 */
export function turnedSession(wire: Wire, deedOf: () => Deed): EtcdSession {
  const run: EtcdSession['run'] = (work) => work(operationOf(wire, deedOf()));
  return {
    endpoints: ['the model'],
    timeoutMs: LONG_MS,
    run,
    read: (work) => run((operation) => operation.read(work)),
    pick: async () => wire.connection,
    close: () => undefined,
  };
}

type Origin = Omit<Write, 'sentAt'>;

const LONG_MS = 3_600_000;
const READ_FAILS = 0.001;
const WRITE_FAILS = 0.02;

function operationOf(wire: Wire, deed: Deed): EtcdOperation {
  const { turns, random } = wire;
  const write: Origin = { deed, beganAt: turns.now };
  const calls = callsOf(wire, write);
  return {
    deadline: Date.now() + LONG_MS,
    read: (work) =>
      turns.take(async () => {
        if (wire.isFaulty && random.isLucky(READ_FAILS)) throw noAnswer();
        return translated(() => work(calls));
      }),
    write: (what, transaction) =>
      turns.take(async () => {
        const send = () => translated(() => sendTransaction(wire, write, transaction));
        return wire.isFaulty && random.isLucky(WRITE_FAILS) ? sendBadly(wire, { deed, what, send }) : send();
      }),
    // no time limit ends here
    settle: () => undefined,
  };
}

interface BadlySent {
  readonly deed: Deed;
  /** Object of the write, for messages. */
  readonly what: string;
  readonly send: () => Promise<ITxnResponse>;
}

async function sendBadly({ turns, random, lost }: Wire, { deed, what, send }: BadlySent): Promise<never> {
  lost.set(deed, (lost.get(deed) ?? new Set()).add(what));
  const fate = random.below(3);
  if (fate === 0) await send();
  // nobody waits for it; the world does not end before it has had its turn
  if (fate === 1) void Promise.allSettled([turns.take(send)]);
  throw new OutcomeUnknownError(noAnswer(), what);
}

/** What etcd refuses, in the errors of the real session. */
async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw unavailable([describeFailure('the model', error, LONG_MS)]);
  }
}

async function sendTransaction(wire: Wire, write: Origin, transaction: ITxnRequest): Promise<ITxnResponse> {
  const answer = await wire.connection.kv.txn(transaction, limits());
  if (answer.succeeded) note(wire, answer, write);
  return answer;
}

function callsOf(wire: Wire, write: Origin): EtcdCalls {
  const lease = new NotedLeases(wire, write);
  return {
    kv: wire.connection.kv,
    lease,
    endpoint: 'the model',
    get options() {
      return limits();
    },
  };
}

/** A revocation deletes keys too. */
class NotedLeases extends TimedLeases {
  readonly #wire: Wire;
  readonly #write: Origin;

  constructor(wire: Wire, write: Origin) {
    super(wire.connection.lease, wire.time);
    this.#wire = wire;
    this.#write = write;
  }

  override async leaseRevoke(...request: Parameters<TimedLeases['leaseRevoke']>) {
    const answer = await super.leaseRevoke(...request);
    note(this.#wire, answer, this.#write);
    return answer;
  }
}

/** The first to give a revision gave it: what changes nothing is answered with the newest one there is. */
function note({ writes, time }: Wire, { header: { revision } }: Pick<IRangeResponse, 'header'>, write: Origin): void {
  if (!writes.has(revision)) writes.set(revision, { ...write, sentAt: time.now() });
}

function limits() {
  return { deadline: Date.now() + 30_000 };
}

function noAnswer(): UnavailableError {
  return new UnavailableError('timeout', 'the model lost the answer');
}
