import { parseDuration } from './duration.ts';
import { FlannelctlError, InterruptedError, UnavailableError, UsageError } from './errors.ts';
import { type ClosableEnvironment, openEnvironment } from './fact-environment.ts';
import type { GivenOptions } from './facts/fact.ts';
import { FactStore } from './facts/fact-store.ts';
import { flannelStartFact } from './facts/flannel.ts';
import { etcdSecrets, givenFlannelOptions } from './flannel-flags.ts';
import { FLANNEL_DEFAULTS, type FlannelOptions } from './net/flannel-options.ts';
import { selectStore } from './store/selection.ts';
import type { StoreSelection, SubnetStore } from './store/store.ts';
import { openWorld, type World } from './wire.ts';

/** The flags a session is opened with. */
export interface SessionFlags {
  readonly root: string;
  readonly timeout: string | undefined;
  readonly 'etcd-password': string | undefined;
  readonly 'etcd-password-file': string | undefined;
  readonly [flag: string]: unknown;
}

/** What a command on leases or configuration works with. */
export interface LeaseSession {
  readonly world: World;
  readonly store: SubnetStore;
  readonly selection: StoreSelection;
  readonly facts: FactStore;
  readonly environment: ClosableEnvironment['environment'];
  /** As given and, for what is not given, as discovered. */
  readonly options: FlannelOptions;
  /** `--timeout`. */
  readonly timeoutMs: number;
  /** Aborts on SIGINT and SIGTERM, with the name of the signal as its reason. */
  readonly signal: AbortSignal;
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT = '10s';

/**
 * Opens the datastore that the flags name, or that is discovered as doctor does.
 * @throws {UsageError} when nobody says which; {UnavailableError} when `--timeout` was over before that was known.
 */
export async function openLeaseSession(flags: SessionFlags, signal: AbortSignal): Promise<LeaseSession> {
  const timeoutMs = parseDuration(flags.timeout ?? DEFAULT_TIMEOUT, '--timeout');
  const world = await openWorld({ root: flags.root });
  const { environment, close } = openEnvironment({
    ...{ world, signal, given: givenOptions(flags, timeoutMs), secrets: await etcdSecrets(flags) },
    ...{ mayProbe: true, passiveTimeoutMs: timeoutMs },
  });
  try {
    const found = await discover(environment);
    const store = await environment.openStore(found.datastore);
    return { world, store, selection: found.datastore, environment, timeoutMs, signal, close, ...found };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * What runs here may belong to somebody whose processes we may not look at. Flags that name a datastore are enough to go on; flannel's own
 * place of the subnet file is taken then.
 */
async function discover(
  environment: ClosableEnvironment['environment'],
): Promise<Pick<LeaseSession, 'facts' | 'options'> & { readonly datastore: StoreSelection }> {
  const facts = new FactStore(environment);
  const { given } = environment;
  const found = await facts.observe(flannelStartFact);
  if (found.status === 'unknown' && given.namesDatastore) {
    const kubeSubnetMgr = given.flannel.kubeSubnetMgr ?? given.flannel.etcdEndpoints === undefined;
    const options = { ...FLANNEL_DEFAULTS, ...given.flannel, kubeSubnetMgr };
    const flannel = { ...given.flannel, subnetFile: options.subnetFile };
    const without = new FactStore({ ...environment, given: { ...given, flannel } });
    return { facts: without, options, datastore: selectStore(options) };
  }
  const { datastore, options } = await facts.get(flannelStartFact);
  if (datastore !== null) return { facts, options, datastore };
  throw new UsageError('nothing here says which datastore flannel uses', {
    hint: 'Name it with --etcd-endpoints or --kube-subnet-mgr.',
  });
}

/** Does the work with a session, which is closed at its end. */
export async function withLeaseSession<T>(
  flags: SessionFlags,
  signal: AbortSignal,
  work: (session: LeaseSession) => Promise<T>,
): Promise<T> {
  const session = await openLeaseSession(flags, signal);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/**
 * One stretch of work, bounded by `--timeout`. The time in which a person thinks about an answer belongs to none.
 * @throws {UnavailableError} naming the datastore when the time is over; {FlannelctlError} 130 or 143 after a signal.
 */
export async function inTime<T>({ world, store, timeoutMs, signal }: LeaseSession, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const over = world.clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal])).then(
    () => Promise.reject(new UnavailableError('timeout', `${store.description} took longer than --timeout`)),
    () => Promise.reject(interrupted(signal)),
  );
  try {
    return await Promise.race([work, over]);
  } finally {
    done.abort();
    await Promise.allSettled([over]);
  }
}

export function interrupted(signal: AbortSignal): FlannelctlError {
  return new InterruptedError(signal);
}

/** @throws {FlannelctlError} 3: leases and configuration of Kubernetes are not ours to write. */
export function refuseKubernetes({ store }: LeaseSession, hint: string): void {
  if (store.kind !== 'kube') return;
  throw new FlannelctlError(
    { code: 'not-applicable', exitCode: 3 },
    'flannel keeps its leases in Kubernetes Nodes here, which flannelctl only reads',
    { hint },
  );
}

/** A call ends before the whole command does, so that the adapter itself can say which endpoint was silent. */
const SHARE_OF_A_CALL = 0.8;

function givenOptions(flags: SessionFlags, timeoutMs: number): GivenOptions {
  const flannel = givenFlannelOptions(flags);
  const namesDatastore =
    flannel.etcdEndpoints !== undefined || flannel.kubeSubnetMgr === true || flannel.kubeconfigFile !== undefined;
  return { flannel, namesDatastore, peerLimit: null, storeTimeoutMs: Math.round(timeoutMs * SHARE_OF_A_CALL) };
}
