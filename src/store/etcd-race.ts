import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../errors.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import { describeFailure, type EndpointFailure, isDropped, isElection, seconds, unavailable } from './etcd-errors.ts';

const ELECTION_PAUSE_MS = 50;

export interface Limits {
  /** Epoch ms. */
  readonly deadline: number;
  /** As the user gave it: what messages name. */
  readonly timeoutMs: number;
}

/** The answer has to be out before whoever waits for it gives up. */
export function limitsFrom(now: number, timeoutMs: number): Limits {
  return { deadline: now + timeoutMs - Math.min(250, timeoutMs / 20), timeoutMs };
}

/** The endpoint that answered first serves the whole operation, until it fails. */
export interface Choice {
  take(): Promise<EtcdConnection>;
  drop(connection: EtcdConnection): void;
}

export function stayWithFirst(race: Race): Choice {
  let chosen: EtcdConnection | undefined;
  let choosing: Promise<EtcdConnection> | undefined;
  return {
    take: async () => {
      if (chosen !== undefined) return chosen;
      choosing ??= firstToAnswer(race).finally(() => {
        choosing = undefined;
      });
      chosen = await choosing;
      return chosen;
    },
    // many calls may fail on one connection: only the first of them ends its service
    drop: (connection) => {
      if (chosen === connection) chosen = undefined;
    },
  };
}

export interface Race {
  readonly connections: readonly EtcdConnection[];
  readonly probeKey: Buffer;
  readonly limits: Limits;
}

/** All endpoints are asked at once, so that a silent one costs nothing while another answers. */
export function firstToAnswer({ connections, probeKey, limits }: Race): Promise<EtcdConnection> {
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
      ask(connection, probeKey, limits).then(
        () => resolve(connection),
        (error: unknown) => fail(connection.endpoint, error),
      );
    }
  });
}

/** Resolves when it answers. During an election it refuses what it would answer a moment later. */
async function ask({ kv }: EtcdConnection, key: Buffer, { deadline }: Limits): Promise<void> {
  const probe = { key, limit: 1, keys_only: true };
  for (let drops = 0; ; ) {
    try {
      await kv.range(probe, { deadline });
      return;
    } catch (error) {
      if (isDropped(error)) drops += 1;
      else if (!isElection(error)) throw error;
      if (drops > 1 || Date.now() + ELECTION_PAUSE_MS >= deadline) throw error;
      if (drops === 0) await sleep(ELECTION_PAUSE_MS);
    }
  }
}

export function late(endpoints: readonly string[], { timeoutMs }: Limits): UnavailableError {
  return new UnavailableError('timeout', `etcd ${endpoints.join(', ')} did not answer within ${seconds(timeoutMs)}`);
}
