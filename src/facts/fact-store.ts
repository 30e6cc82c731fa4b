import { AbsentError, UnavailableError } from '../errors.ts';
import type { CollectContext, Fact, Observed } from './fact.ts';

/** What a run gives its facts, besides each other. */
export interface FactEnvironment extends Omit<CollectContext, 'get' | 'observe'> {
  /** False under `--probe passive`. */
  readonly mayProbe: boolean;
  /** Upper bound for passive facts. */
  readonly passiveTimeoutMs: number;
}

/** Collects each fact at most once and turns what its collector throws into a value. */
export class FactStore {
  readonly #environment: FactEnvironment;
  readonly #context: CollectContext;
  readonly #collected = new Map<string, Promise<unknown>>();
  readonly #crashes: unknown[] = [];
  /** What was thrown, and the fact that threw it first: others only passed it on. */
  readonly #origins = new WeakMap<object, Fact<unknown>>();

  constructor(environment: FactEnvironment) {
    this.#environment = environment;
    this.#context = { ...environment, get: (fact) => this.get(fact), observe: (fact) => this.observe(fact) };
  }

  /** The value. @throws what the collector threw; {UnavailableError} `timeout` when it took too long. */
  get<T>(fact: Fact<T>): Promise<T> {
    const known = this.#collected.get(fact.name);
    // A name stands for one token, so that what was collected under it has that token's type.
    if (known !== undefined) return known as Promise<T>;
    const collecting = this.#collect(fact);
    this.#collected.set(fact.name, collecting);
    return collecting;
  }

  async observe<T>(fact: Fact<T>): Promise<Observed<T>> {
    try {
      return { status: 'known', value: await this.get(fact) };
    } catch (error) {
      return this.#observeError(fact, error);
    }
  }

  /** The fact whose absence made this one absent, which may be itself; `undefined` when it is not absent. */
  async originOfAbsence(fact: Fact<unknown>): Promise<Fact<unknown> | undefined> {
    const [result] = await Promise.allSettled([this.get(fact)]);
    const isAbsent = result.status === 'rejected' && result.reason instanceof AbsentError;
    return isAbsent ? this.#originOf(result.reason, fact) : undefined;
  }

  /** Errors that no collector should throw: bugs, for `--debug` and exit 70. */
  get crashes(): readonly unknown[] {
    return this.#crashes;
  }

  async #collect<T>(fact: Fact<T>): Promise<T> {
    const { mayProbe, passiveTimeoutMs, clock, signal } = this.#environment;
    if (fact.cost === 'active' && !mayProbe) {
      throw new UnavailableError('unsupported', `${fact.name} needs to send packets, which --probe passive forbids`);
    }
    const timeoutMs = fact.cost === 'active' ? fact.timeoutMs : Math.min(fact.timeoutMs, passiveTimeoutMs);
    const done = new AbortController();
    const deadline = clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal])).then(
      () => Promise.reject(new UnavailableError('timeout', `${fact.name} took longer than ${timeoutMs} ms`)),
      () => Promise.reject(new UnavailableError('timeout', describeEnd(signal))),
    );
    try {
      return await Promise.race([fact.collect(this.#context), deadline]);
    } catch (error) {
      if (error instanceof AbsentError && !this.#origins.has(error)) this.#origins.set(error, fact);
      throw error;
    } finally {
      done.abort();
      await Promise.allSettled([deadline]);
    }
  }

  #originOf(error: AbsentError, fact: Fact<unknown>): Fact<unknown> {
    return this.#origins.get(error) ?? fact;
  }

  #observeError<T>(fact: Fact<T>, error: unknown): Observed<T> {
    if (error instanceof AbsentError && this.#originOf(error, fact).absence !== 'never') {
      return { status: 'absent', detail: error.message };
    }
    if (error instanceof UnavailableError) return { status: 'unknown', reason: error.reason, detail: error.message };
    if (!this.#crashes.includes(error)) this.#crashes.push(error);
    const message = error instanceof Error ? error.message : String(error);
    return { status: 'unknown', reason: 'crash', detail: `collecting ${fact.name} failed: ${message}` };
  }
}

/** The reason of the run's signal: the name of a signal when somebody ended it, anything else when its time ran out. */
function describeEnd(signal: AbortSignal): string {
  return typeof signal.reason === 'string' ? 'interrupted' : 'the time of the whole run ran out';
}
