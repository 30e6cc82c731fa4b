import { UnavailableError } from '../../src/errors.ts';
import type { Fact, GivenOptions, Observed } from '../../src/facts/fact.ts';
import { type FactEnvironment, FactStore } from '../../src/facts/fact-store.ts';
import type { Host } from '../../src/host/host.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import type { StoreSecrets } from '../../src/store/store.ts';

export interface CollectParts extends Partial<Omit<FactEnvironment, 'given' | 'host'>> {
  readonly host: Host;
  readonly given?: Partial<GivenOptions>;
}

/** Facts over a host, with no datastore unless the test names one. */
export function factsOver({ host, given, ...parts }: CollectParts): FactStore {
  return new FactStore({
    host,
    clock: systemClock,
    startedAt: 0,
    signal: new AbortController().signal,
    given: { flannel: {}, namesDatastore: false, peerLimit: null, storeTimeoutMs: 1000, ...given },
    secrets: secretBox(),
    openStore: async () => Promise.reject(new UnavailableError('unsupported', 'no datastore in this test')),
    openKube: async () => Promise.reject(new UnavailableError('unsupported', 'no Kubernetes API in this test')),
    openEtcdHealth: async () => Promise.reject(new UnavailableError('unsupported', 'no etcd in this test')),
    mayProbe: true,
    passiveTimeoutMs: 10_000,
    ...parts,
  });
}

/** What came of looking at one fact. */
export function observe<T>(fact: Fact<T>, parts: CollectParts): Promise<Observed<T>> {
  return factsOver(parts).observe(fact);
}

/** The value of one fact; fails the test when it is not known. */
export function collect<T>(fact: Fact<T>, parts: CollectParts): Promise<T> {
  return factsOver(parts).get(fact);
}

export function secretBox(initial: StoreSecrets = {}): FactEnvironment['secrets'] {
  let held = initial;
  return {
    put: (secrets) => {
      held = { ...held, ...secrets };
    },
    secrets: () => held,
  };
}
