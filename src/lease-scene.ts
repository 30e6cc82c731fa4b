import { isFlannelDevice } from './dataplane/device.ts';
import { AbsentError, UnavailableError } from './errors.ts';
import { interfacesFact } from './facts/interfaces.ts';
import { subnetEnvFact } from './facts/subnet-env.ts';
import type { KubeNode } from './kube/kube.ts';
import type { LeaseSession } from './lease-session.ts';
import type { SelfIdentity } from './leases/self.ts';
import type { KnownNodes, LeaseScene } from './leases/states.ts';
import { parseCidr } from './net/cidr.ts';
import type { NetworkConfig } from './store/config.ts';
import { decodeNode } from './store/node-lease.ts';
import type { LeaseListing, ListOptions } from './store/store.ts';
import { parseStoredConfig } from './store/stored-config.ts';

/** What is known besides the leases, and what could not be found out. */
export interface KnownScene extends LeaseScene {
  /** Why the addresses of this host are not known; `null`: they are. */
  readonly selfProblem: string | null;
  /** Why the network configuration is not known, or that there is none; `null`: it is. */
  readonly configProblem: string | null;
  /** Why Kubernetes, which was named beside etcd, cannot be asked; `null`: it was, or nobody named it. */
  readonly nodesProblem: string | null;
}

export interface ReadOptions extends ListOptions {
  readonly kubeconfigEnv: string | undefined;
}

/** The leases and all that is needed to judge them. @throws {UnavailableError} when the datastore cannot be read. */
export async function readScene(
  session: LeaseSession,
  options: ReadOptions,
): Promise<{ readonly listing: LeaseListing; readonly scene: KnownScene }> {
  const [self, config, { listing, nodes }] = await Promise.all([
    readSelf(session),
    readConfig(session),
    readLeases(session, options),
  ]);
  const known = {
    now: session.world.clock.now(),
    storeKind: session.store.kind,
    marginSeconds: session.options.subnetLeaseRenewMarginMinutes * 60,
    config: config.value,
    configProblem: config.problem,
    self: self.value,
    selfProblem: self.problem,
    nodes: nodes.value,
    nodesProblem: nodes.problem,
  };
  return { listing, scene: known };
}

interface Known<T> {
  readonly value: T;
  readonly problem: string | null;
}

/** What cannot be looked at leaves this host without a name; who is going to delete something must not go on then. */
async function readSelf({ facts }: LeaseSession): Promise<Known<SelfIdentity>> {
  const [interfaces, file] = await Promise.all([facts.observe(interfacesFact), facts.observe(subnetEnvFact)]);
  const devices = interfaces.status === 'known' ? interfaces.value : [];
  const own = devices.filter(({ name }) => isFlannelDevice(name));
  const subnets = file.status === 'known' ? [file.value.subnet, file.value.ipv6Subnet] : [];
  const problems = [interfaces, file].flatMap((one) => (one.status === 'unknown' ? [one.detail] : []));
  return {
    value: {
      addresses: devices.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)),
      vtepMacs: own.flatMap(({ mac }) => (mac === '' ? [] : [mac])),
      subnetAddresses: [
        ...own.flatMap(({ addresses }) => addresses.flatMap(({ ip, scope }) => (scope === 'link' ? [] : [ip]))),
        ...subnets.flatMap((subnet) => parseCidr(subnet ?? '')?.network ?? []),
      ],
    },
    problem: problems.length === 0 ? null : problems.join('; '),
  };
}

async function readConfig({ store }: LeaseSession): Promise<Known<NetworkConfig | null>> {
  try {
    return { value: parseStoredConfig(await store.readNetworkConfig(), store.kind).config, problem: null };
  } catch (error) {
    const isAbout = error instanceof AbsentError || (error instanceof UnavailableError && !isSilent(error));
    if (!isAbout) throw error;
    return { value: null, problem: error.message };
  }
}

function isSilent({ reason }: UnavailableError): boolean {
  return reason === 'unreachable' || reason === 'timeout' || reason === 'crash';
}

interface Leases {
  readonly listing: LeaseListing;
  readonly nodes: Known<KnownNodes | null>;
}

async function readLeases(session: LeaseSession, { kubeconfigEnv, ...list }: ReadOptions): Promise<Leases> {
  const { store, selection, environment } = session;
  if (selection.kind === 'kube') {
    const kube = await environment.openKube(selection);
    const { nodes, resourceVersion } = await kube.listNodes();
    const records = nodes.flatMap((node) => decodeNode(node) ?? []);
    const listing = { records, revision: resourceVersion, clusterId: null, source: store.description };
    return { listing, nodes: { value: knownNodes(nodes), problem: null } };
  }
  const [listing, nodes] = await Promise.all([store.listLeases(list), readNodes(session, kubeconfigEnv)]);
  return { listing, nodes };
}

/** Kubernetes beside etcd: asked where the user names it, so that a Node's address keeps its lease. */
async function readNodes(
  { environment, options }: LeaseSession,
  kubeconfigEnv: string | undefined,
): Promise<Known<KnownNodes | null>> {
  const { kubeconfigFile, kubeApiUrl: apiUrl, kubeContext: context } = options;
  if (kubeconfigFile === '' && apiUrl === '' && !kubeconfigEnv) return { value: null, problem: null };
  try {
    const { kubeAnnotationPrefix: annotationPrefix, netConfigPath } = options;
    const base = { kind: 'kube', apiUrl, kubeconfigFile, context, annotationPrefix, netConfigPath } as const;
    const { nodes } = await (await environment.openKube(base)).listNodes();
    return { value: knownNodes(nodes), problem: null };
  } catch (error) {
    if (error instanceof UnavailableError || error instanceof AbsentError)
      return { value: null, problem: error.message };
    throw error;
  }
}

function knownNodes(nodes: readonly KubeNode[]): KnownNodes {
  return {
    nameOf: new Map(nodes.flatMap(({ name, addresses }) => addresses.map(({ address }) => [address, name] as const))),
    notReady: new Map(
      nodes.flatMap(({ name, ready }) =>
        ready === null || ready.status === 'True' ? [] : [[name, ready.since] as const],
      ),
    ),
  };
}
