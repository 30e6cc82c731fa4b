import type { UnknownReason } from '../errors.ts';
import type { Clock } from '../host/clock.ts';
import type { Host } from '../host/host.ts';
import type { KubeApi } from '../kube/kube.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import type { EtcdHealth } from '../store/health.ts';
import type { EtcdSelection, StoreSecrets, StoreSelection, SubnetStore } from '../store/store.ts';

/** What came of looking. */
export type Observed<T> =
  | { readonly status: 'known'; readonly value: T }
  | { readonly status: 'absent'; readonly detail: string }
  | { readonly status: 'unknown'; readonly reason: UnknownReason; readonly detail: string };

/** Something that can be observed: a token that carries its collector. */
export interface Fact<T> {
  /** Unique, kebab-case: `own-lease`. */
  readonly name: string;
  /** `active` sends packets; it is `unknown` (`unsupported`) under `--probe passive`. */
  readonly cost: 'passive' | 'active';
  /** Time for this collector and all that it waits for; `unknown` (`timeout`) afterwards. Capped by `--check-timeout` for passive facts. */
  readonly timeoutMs: number;
  /**
   * Why absence is in order; `never`: it can only be known or unknown; `follows`: it is absent when the fact of that name is, and
   * whoever judges that one has judged this one. Left out: some check takes this fact as `judged` and says what its absence means.
   */
  readonly absence?: { readonly normal: string } | { readonly follows: string } | 'never';
  /**
   * Plain JSON without secrets: epoch ms, strings for addresses.
   * @throws {AbsentError} looked, not there; {UnavailableError} could not look. Anything else is a bug and becomes `crash`.
   */
  collect(context: CollectContext): Promise<T>;
}

export interface CollectContext {
  readonly host: Host;
  readonly clock: Clock;
  /** Epoch ms at which the run began: the instant all ages are measured against, so that a replay finds the same. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
  /** Flags the user gave to flannelctl; what is not given is discovered. */
  readonly given: GivenOptions;
  readonly secrets: SecretBox;
  /** The value of another fact. @throws what that fact's collector threw. */
  get<T>(fact: Fact<T>): Promise<T>;
  observe<T>(fact: Fact<T>): Promise<Observed<T>>;
  /** Opened once per selection and closed by the run. */
  openStore(selection: StoreSelection): Promise<SubnetStore>;
  openKube(selection: Extract<StoreSelection, { kind: 'kube' }>): Promise<KubeApi>;
  /** Also for an etcd that does not answer: nothing is sent by opening. */
  openEtcdHealth(selection: EtcdSelection): Promise<EtcdHealth>;
}

export interface GivenOptions {
  /** flanneld's own flags, only those that were given. */
  readonly flannel: Partial<FlannelOptions>;
  /** True when a datastore was named by flags or KUBECONFIG. */
  readonly namesDatastore: boolean;
  /** `--peers`: how many peers the active probes ask; `null`: all. */
  readonly peerLimit: number | null;
  /** Deadline for one call to a datastore. */
  readonly storeTimeoutMs: number;
}

/** Carries passwords found by discovery to the adapters without passing through a fact's value. */
export interface SecretBox {
  put(secrets: StoreSecrets): void;
  secrets(): StoreSecrets;
}

/** Makes a token; the type of the value follows from the collector. */
export function defineFact<T>(fact: Fact<T>): Fact<T> {
  return fact;
}
