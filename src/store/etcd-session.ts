import { UnavailableError } from '../errors.ts';
import { type ConnectOptions, type EtcdConnection, openConnections } from './etcd-connection.ts';
import { describeFailure, type EndpointFailure, isDropped, seconds, unavailable } from './etcd-errors.ts';

/** One endpoint that has just answered, and the time by which the whole operation has to be over. */
export interface EtcdCalls {
  readonly kv: EtcdConnection['kv'];
  readonly lease: EtcdConnection['lease'];
  readonly endpoint: string;
  /** To be handed to every call. */
  readonly options: { readonly deadline: number };
}

export interface EtcdSession {
  readonly endpoints: readonly string[];
  /** One operation within the time limit, however many endpoints there are. What was sent may run twice only if it reads. */
  read<T>(operation: (calls: EtcdCalls) => Promise<T>): Promise<T>;
  /** As read, but never sent a second time. */
  write<T>(operation: (calls: EtcdCalls) => Promise<T>): Promise<T>;
  close(): void;
}

/** `probeKey`: a key whose reading shows that an endpoint is alive, has a quorum and lets us in. */
export async function openSession(options: ConnectOptions, probeKey: Buffer): Promise<EtcdSession> {
  const connections = await openConnections(options);
  const run = <T>(tries: number, operation: Operation<T>): Promise<T> => {
    const limits = limitsFrom(Date.now(), options.timeoutMs);
    return beforeDeadline(limits, connections, () =>
      tryRepeatedly({ connections, probeKey, limits, tries }, operation),
    );
  };
  return {
    endpoints: connections.map((connection) => connection.endpoint),
    read: (operation) => run(3, operation),
    write: (operation) => run(1, operation),
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

type Operation<T> = (calls: EtcdCalls) => Promise<T>;

interface Limits {
  /** Epoch ms. */
  readonly deadline: number;
  /** As the user gave it: what messages name. */
  readonly timeoutMs: number;
}

/** The answer has to be out before whoever waits for it gives up. */
function limitsFrom(now: number, timeoutMs: number): Limits {
  return { deadline: now + timeoutMs - Math.min(250, timeoutMs / 20), timeoutMs };
}

async function tryRepeatedly<T>(race: Race & { readonly tries: number }, operation: Operation<T>): Promise<T> {
  for (let left = race.tries; ; left -= 1) {
    const outcome = await attempt(await firstToAnswer(race), race.limits, operation);
    if ('value' in outcome) return outcome.value;
    if (left <= 1 || outcome.isFinal || Date.now() >= race.limits.deadline) throw unavailable([outcome]);
  }
}

async function attempt<T>(
  { kv, lease, endpoint }: EtcdConnection,
  { deadline, timeoutMs }: Limits,
  operation: Operation<T>,
): Promise<{ readonly value: T } | EndpointFailure> {
  try {
    return { value: await operation({ kv, lease, endpoint, options: { deadline } }) };
  } catch (error) {
    return describeFailure(endpoint, error, timeoutMs);
  }
}

interface Race {
  readonly connections: readonly EtcdConnection[];
  readonly probeKey: Buffer;
  readonly limits: Limits;
}

/** All endpoints are asked at once, so that a silent one costs nothing while another answers. */
function firstToAnswer({ connections, probeKey, limits }: Race): Promise<EtcdConnection> {
  const failures: EndpointFailure[] = [];
  return new Promise((resolve, reject) => {
    const fail = (endpoint: string, error: unknown) => {
      try {
        const failure = describeFailure(endpoint, error, limits.timeoutMs);
        failures.push(failure);
        if (failure.isFinal || failures.length === connections.length) reject(unavailable(failures));
      } catch (bug) {
        reject(bug);
      }
    };
    for (const connection of connections) {
      askTwice(connection, probeKey, limits).then(
        () => resolve(connection),
        (error: unknown) => fail(connection.endpoint, error),
      );
    }
  });
}

async function askTwice({ kv, reach }: EtcdConnection, key: Buffer, { deadline }: Limits): Promise<void> {
  const probe = { key, limit: 1, keys_only: true };
  await reach(deadline);
  try {
    await kv.range(probe, { deadline });
  } catch (error) {
    if (!isDropped(error)) throw error;
    await kv.range(probe, { deadline });
  }
}

/** grpc keeps the deadline of each call; this one holds for their sum, authentication included. */
async function beforeDeadline<T>(
  { deadline, timeoutMs }: Limits,
  connections: readonly EtcdConnection[],
  work: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const names = connections.map(({ endpoint }) => endpoint).join(', ');
    const error = new UnavailableError('timeout', `etcd ${names} did not answer within ${seconds(timeoutMs)}`);
    timer = setTimeout(() => reject(error), deadline - Date.now() + timeoutMs / 50);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
