import { type ICallable, LeaseClient } from 'etcd3';
import type { EtcdCalls } from '../../src/store/etcd-session.ts';

/** When the leases of one world end, by a clock that moves only when it is told to: a day of etcd passes in a moment. */
export interface EtcdTime {
  /** Epoch ms. */
  now(): number;
  advance(seconds: number): void;
  granted(id: string, seconds: number): void;
  /** As etcd answers: -1 for a lease that it does not know. */
  secondsLeft(id: string): number;
  /** Its time begins anew, and no key changes: what LeaseKeepAlive does. */
  keepAlive(id: string): void;
  /** Those whose time is over. */
  ended(): readonly string[];
  forget(id: string): void;
}

interface Grant {
  readonly seconds: number;
  endsAt: number;
}

export function etcdTime(start: number): EtcdTime {
  const grants = new Map<string, Grant>();
  let now = start;
  return {
    now: () => now,
    advance: (seconds) => {
      now += seconds * 1000;
    },
    granted: (id, seconds) => void grants.set(id, { seconds, endsAt: now + seconds * 1000 }),
    secondsLeft: (id) => {
      const grant = grants.get(id);
      return grant === undefined ? -1 : Math.max(0, Math.floor((grant.endsAt - now) / 1000));
    },
    keepAlive: (id) => {
      const grant = grants.get(id);
      if (grant !== undefined && grant.endsAt > now) grant.endsAt = now + grant.seconds * 1000;
    },
    ended: () => [...grants].flatMap(([id, { endsAt }]) => (endsAt <= now ? [id] : [])),
    forget: (id) => void grants.delete(id),
  };
}

/** Longer than any run: the leases of the real etcd end when the model says so. */
const REAL_SECONDS = 1_000_000;

/** The leases of a real etcd, with the times of `time`. */
export class TimedLeases extends LeaseClient {
  readonly #real: EtcdCalls['lease'];
  readonly #time: EtcdTime;

  constructor(real: EtcdCalls['lease'], time: EtcdTime) {
    super(NOBODY);
    this.#real = real;
    this.#time = time;
  }

  override async leaseGrant(...[request, options]: Parameters<LeaseClient['leaseGrant']>) {
    const answer = await this.#real.leaseGrant({ ...request, TTL: REAL_SECONDS }, options);
    this.#time.granted(answer.ID, Number(request.TTL));
    return { ...answer, TTL: String(request.TTL) };
  }

  override async leaseTimeToLive(...[request, options]: Parameters<LeaseClient['leaseTimeToLive']>) {
    const answer = await this.#real.leaseTimeToLive(request, options);
    return answer.TTL === '-1' ? answer : { ...answer, TTL: String(this.#time.secondsLeft(String(request.ID))) };
  }

  override async leaseRevoke(...[request, options]: Parameters<LeaseClient['leaseRevoke']>) {
    const answer = await this.#real.leaseRevoke(request, options);
    this.#time.forget(String(request.ID));
    return answer;
  }
}

const refuse = () => Promise.reject(new TypeError('not a call of the model'));
/** The other methods of LeaseClient, which a store has no use for. */
const NOBODY: ICallable<unknown> = {
  callOptionsFactory: undefined,
  exec: refuse,
  withConnection: refuse,
  markFailed: () => undefined,
};
