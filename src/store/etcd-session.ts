import type { ITxnRequest, ITxnResponse } from 'etcd3';
import { type ConnectOptions, type EtcdConnection, openConnections } from './etcd-connection.ts';
import { describeFailure, type EndpointFailure, unavailable } from './etcd-errors.ts';
import { type Choice, firstToAnswer, type Limits, late, limitsFrom, type Race, stayWithFirst } from './etcd-race.ts';
import { OutcomeUnknownError } from './outcome.ts';

/** One endpoint that has just answered. */
export interface EtcdCalls {
  readonly kv: EtcdConnection['kv'];
  readonly lease: EtcdConnection['lease'];
  readonly endpoint: string;
  /** To be asked for again at every call: what a call may take depends on the time that is left. */
  readonly options: { readonly deadline: number };
}

/** Everything that one method of a store does, within one time limit. */
export interface EtcdOperation {
  /** Epoch ms by which all has to be over. */
  readonly deadline: number;
  /** Repeated on another endpoint when one fails: only for what may happen twice. */
  read<T>(work: (calls: EtcdCalls) => Promise<T>): Promise<T>;
  /**
   * Sent once, and again only when the first provably had no effect. `what`: the object, for messages.
   * @throws {OutcomeUnknownError} when it was sent and not answered; until {@link settle}, that is also how a time limit ends.
   */
  write(what: string, transaction: ITxnRequest): Promise<ITxnResponse>;
  /** Whether the last write took effect is known now. */
  settle(): void;
}

export interface EtcdSession {
  readonly endpoints: readonly string[];
  readonly timeoutMs: number;
  /** One operation within the time limit, however many endpoints there are. */
  run<T>(work: (operation: EtcdOperation) => Promise<T>): Promise<T>;
  /** An operation that is one reading. */
  read<T>(work: (calls: EtcdCalls) => Promise<T>): Promise<T>;
  /** The connection that answers first. */
  pick(): Promise<EtcdConnection>;
  close(): void;
}

const TRIES = 4;

/** `probeKey`: a key whose reading shows that an endpoint is alive, has a quorum and lets us in. */
export async function openSession(options: ConnectOptions, probeKey: Buffer): Promise<EtcdSession> {
  const connections = await openConnections(options);
  const raceOf = () => ({ connections, probeKey, limits: limitsFrom(Date.now(), options.timeoutMs) });
  const run: EtcdSession['run'] = (work) => {
    const race = raceOf();
    const sent: Sent = { what: undefined };
    return beforeDeadline({ ...race, sent }, () => work(operationOf(race, sent)));
  };
  return {
    endpoints: connections.map((connection) => connection.endpoint),
    timeoutMs: options.timeoutMs,
    run,
    read: (work) => run((operation) => operation.read(work)),
    pick: () => firstToAnswer(raceOf()),
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

/** What is under way and may take effect without our hearing of it. */
interface Sent {
  what: string | undefined;
}

function operationOf(race: Race, sent: Sent): EtcdOperation {
  const { limits } = race;
  const choice = stayWithFirst(race);
  return {
    deadline: limits.deadline,
    read: (work) => repeat(choice, race, async (calls) => ({ value: await work(calls) })),
    write: (what, transaction) =>
      repeat(choice, race, async ({ kv, options, endpoint }) => {
        // what comes after the time limit has been reported as failed
        if (Date.now() >= limits.deadline) throw late([endpoint], limits);
        sent.what = what;
        const outcome = await transact(kv.txn(transaction, options), { endpoint, limits, what });
        if (!('lost' in outcome)) sent.what = undefined;
        return outcome;
      }),
    settle: () => {
      sent.what = undefined;
    },
  };
}

interface SentTo {
  readonly endpoint: string;
  readonly limits: Limits;
  readonly what: string;
}

async function transact(answer: Promise<ITxnResponse>, to: SentTo): Promise<Outcome<ITxnResponse>> {
  try {
    return { value: await answer };
  } catch (error) {
    const failure = describeFailure(to.endpoint, error, to.limits.timeoutMs);
    return failure.hadNoEffect ? failure : { lost: new OutcomeUnknownError(unavailable([failure]), to.what) };
  }
}

type Outcome<T> = { readonly value: T } | { readonly lost: OutcomeUnknownError } | EndpointFailure;
type Try<T> = (calls: EtcdCalls) => Promise<Outcome<T>>;

async function repeat<T>(choice: Choice, race: Race, work: Try<T>): Promise<T> {
  const { deadline } = race.limits;
  const failures: EndpointFailure[] = [];
  for (;;) {
    const connection = await choice.take();
    const outcome = await attempt(connection, race, work);
    if ('value' in outcome) return outcome.value;
    choice.drop(connection);
    if ('lost' in outcome) throw outcome.lost;
    failures.push(outcome);
    if (failures.length >= TRIES || outcome.isFinal || Date.now() >= deadline) throw unavailable(failures);
  }
}

async function attempt<T>({ kv, lease, endpoint }: EtcdConnection, race: Race, work: Try<T>): Promise<Outcome<T>> {
  const { deadline, timeoutMs } = race.limits;
  // an endpoint that falls silent leaves half of what is left to the next one
  const share = race.connections.length > 1 ? 2 : 1;
  const calls: EtcdCalls = {
    ...{ kv, lease, endpoint },
    get options() {
      return { deadline: deadline - (deadline - Date.now()) * (1 - 1 / share) };
    },
  };
  try {
    return await work(calls);
  } catch (error) {
    return describeFailure(endpoint, error, timeoutMs);
  }
}

/** grpc keeps the deadline of each call; this one holds for their sum, authentication included. */
async function beforeDeadline<T>(race: Race & { readonly sent: Sent }, work: () => Promise<T>): Promise<T> {
  const { limits, connections, sent } = race;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const expire = () => {
      const error = late(
        connections.map(({ endpoint }) => endpoint),
        limits,
      );
      reject(sent.what === undefined ? error : new OutcomeUnknownError(error, sent.what));
    };
    timer = setTimeout(expire, limits.deadline - Date.now() + limits.timeoutMs / 50);
  });
  try {
    return await Promise.race([work(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
