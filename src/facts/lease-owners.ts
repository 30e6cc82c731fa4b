import pLimit from 'p-limit';
import type { Host } from '../host/host.ts';
import { canonicalIp, parseCidr } from '../net/cidr.ts';
import { type Answer, probeAnswer } from '../probe/answer.ts';
import type { Lease } from '../store/store.ts';
import { leasesFact, ownLeaseFact } from './datastore.ts';
import { type CollectContext, defineFact } from './fact.ts';
import { flannelFact } from './flannel.ts';
import { overdueLeasesFact } from './lease-renewals.ts';
import { actualOverlayFact } from './overlay.ts';

/** What the owner of a lease answered. */
export interface OwnerAnswers {
  readonly underlay: Answer;
  /** Through flannel.N; `null`: not asked, because no route of flannel leads there. */
  readonly overlay: Answer | null;
  /** Name of the Kubernetes Node that has its address; `null`: none has, or no Kubernetes API was named. */
  readonly node: string | null;
}

export interface LeaseOwners {
  /** Owners of overdue leases, by key. */
  readonly overdue: Readonly<Record<string, OwnerAnswers>>;
  /** A few owners that renewed in time, by key: what an answer looks like from here. */
  readonly controls: Readonly<Record<string, OwnerAnswers>>;
}

/** Asks nobody when no lease of another host is overdue. */
export const leaseOwnersFact = defineFact<LeaseOwners>({
  name: 'lease-owners',
  cost: 'active',
  timeoutMs: 28_000,
  absence: { normal: 'leases of Kubernetes do not expire' },
  collect: async (context) => {
    const late = (await context.get(overdueLeasesFact)).filter(({ isOwn }) => !isOwn).map(({ key }) => key);
    if (late.length === 0) return { overdue: {}, controls: {} };
    const { records } = await context.get(leasesFact);
    const leases = records.filter((record) => record.kind === 'lease');
    const asking: Asking = { ...(await whereToAsk(context)), host: context.host };
    const overdue = leases.filter(({ key }) => late.includes(key));
    const controls = await controlsOf(context, leases);
    const [first, answered] = await Promise.all([askAll(overdue, asking), askAll(controls, asking)]);
    // One more round for those that said nothing: a host may be busy for a moment.
    const silent = overdue.filter(({ key }) => !hasAnswered(first[key]));
    return { overdue: { ...first, ...(await askAll(silent, asking)) }, controls: answered };
  },
});

const AT_ONCE = 32;
const CONTROLS = 5;

interface Asking {
  readonly host: Host;
  /** Subnets to which a route of flannel leads. */
  readonly routed: ReadonlySet<string>;
  /** Kubernetes Nodes by address. */
  readonly nodes: ReadonlyMap<string, string>;
}

async function whereToAsk(context: CollectContext): Promise<Pick<Asking, 'routed' | 'nodes'>> {
  const [{ routes, links }, nodes] = await Promise.all([context.get(actualOverlayFact), nodesByAddress(context)]);
  const devices = new Set(links.map(({ device }) => device));
  const ours = routes.filter(({ device }) => device !== null && devices.has(device));
  return { routed: new Set(ours.map(({ dst }) => dst)), nodes };
}

/** Owners other than this host whose leases are in time, evenly spread over the list. */
async function controlsOf(context: CollectContext, leases: readonly Lease[]): Promise<readonly Lease[]> {
  const [overdue, own] = await Promise.all([context.get(overdueLeasesFact), context.observe(ownLeaseFact)]);
  const left = new Set([...overdue.map(({ key }) => key), ...(own.status === 'known' ? [own.value.key] : [])]);
  const fresh = leases.filter(({ key, expiresAt }) => typeof expiresAt === 'number' && !left.has(key));
  const step = Math.max(1, Math.floor(fresh.length / CONTROLS));
  return fresh.filter((_, at) => at % step === 0).slice(0, CONTROLS);
}

/** Only where the user named a Kubernetes API beside etcd; one that cannot be asked leaves everything unknown. */
async function nodesByAddress(context: CollectContext): Promise<ReadonlyMap<string, string>> {
  const { options } = await context.get(flannelFact);
  if (options.kubeconfigFile === '' && options.kubeApiUrl === '') return new Map();
  const kube = await context.openKube({
    kind: 'kube',
    apiUrl: options.kubeApiUrl,
    kubeconfigFile: options.kubeconfigFile,
    context: options.kubeContext,
    annotationPrefix: options.kubeAnnotationPrefix,
    netConfigPath: options.netConfigPath,
  });
  const { nodes } = await kube.listNodes();
  return new Map(nodes.flatMap(({ name, addresses }) => addresses.map(({ address }) => [address, name] as const)));
}

async function askAll(leases: readonly Lease[], asking: Asking): Promise<Readonly<Record<string, OwnerAnswers>>> {
  const [processes, owners] = [pLimit(AT_ONCE), pLimit(AT_ONCE)];
  const answers = await owners.map(leases, async (lease) => {
    const answer = await askOwner(lease, asking, processes);
    return answer === undefined ? [] : [[lease.key, answer] as const];
  });
  return Object.fromEntries(answers.flat());
}

/** `undefined`: it publishes no address. */
async function askOwner(
  { subnet, ipv6Subnet, attributes }: Lease,
  { host, routed, nodes }: Asking,
  limit: ReturnType<typeof pLimit>,
): Promise<OwnerAnswers | undefined> {
  const publicIp = canonicalIp(attributes.publicIp ?? attributes.publicIpv6 ?? '');
  const network = parseCidr(subnet ?? ipv6Subnet ?? '');
  if (publicIp === undefined || network === undefined) return undefined;
  const isRouted = routed.has(`${network.network}/${network.prefixLength}`);
  const [underlay, overlay] = await Promise.all([
    probeAnswer(host, publicIp, limit),
    isRouted ? probeAnswer(host, network.network, limit) : null,
  ]);
  return { underlay, overlay, node: nodes.get(publicIp) ?? null };
}

function hasAnswered(answers: OwnerAnswers | undefined): boolean {
  return answers !== undefined && (answers.underlay.answered || answers.overlay?.answered === true);
}
