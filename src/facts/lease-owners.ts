import { measureSilence, pickControls } from '../probe/owner-silence.ts';
import type { Asked, Silence } from '../probe/silence-verdict.ts';
import type { Lease } from '../store/store.ts';
import { leasesFact, ownLeaseFact } from './datastore.ts';
import { type CollectContext, defineFact } from './fact.ts';
import { flannelStartFact } from './flannel.ts';
import { overdueLeasesFact } from './lease-renewals.ts';
import { actualOverlayFact } from './overlay.ts';
import { kernelWay } from './vxlan-way.ts';

/** Whether the owner of a lease is there. */
export interface OwnerLook {
  /** `unknown`: this host could not ask, or nobody at all answered it the same way. */
  readonly verdict: Silence['verdict'];
  /** For a person, in English. */
  readonly because: string;
  readonly asked: readonly Pick<Asked, 'way' | 'address' | 'result'>[];
  /** Name of the Kubernetes Node that has its address; `null`: none has, or no Kubernetes API was named. */
  readonly node: string | null;
}

export interface LeaseOwners {
  /** Owners of overdue leases, by key. */
  readonly overdue: Readonly<Record<string, OwnerLook>>;
  /** Keys of those that renewed in time and were asked the same way: what an answer looks like from here. */
  readonly controls: readonly string[];
}

/** Asks nobody when no lease of another host is overdue. */
export const leaseOwnersFact = defineFact<LeaseOwners>({
  name: 'lease-owners',
  cost: 'active',
  timeoutMs: 28_000,
  absence: { normal: 'leases of Kubernetes do not expire' },
  collect: async (context) => {
    const late = (await context.get(overdueLeasesFact)).filter(({ isOwn }) => !isOwn).map(({ key }) => key);
    if (late.length === 0) return { overdue: {}, controls: [] };
    const { records } = await context.get(leasesFact);
    const leases = records.filter((record) => record.kind === 'lease');
    const candidates = leases.filter(({ key }) => late.includes(key));
    const fresh = await renewedInTime(context, leases);
    const [actual, nodes] = await Promise.all([context.get(actualOverlayFact), nodesByAddress(context)]);
    const { host, signal } = context;
    const found = await measureSilence({ host, signal, vxlan: kernelWay(actual), candidates, fresh });
    const looks = candidates.flatMap((lease): readonly (readonly [string, OwnerLook])[] => {
      const silence = found.get(lease.key);
      if (silence === undefined) return [];
      const asked = silence.asked.map(({ way, address, result }) => ({ way, address, result }));
      const { verdict, because } = silence;
      return [[lease.key, { verdict, because: because.en, asked, node: nodeOf(lease, nodes) }]];
    });
    return { overdue: Object.fromEntries(looks), controls: pickControls(fresh).map(({ key }) => key) };
  },
});

/** Measured to be silent, and no Node of Kubernetes has its address, which is as good as an answer. */
export function isGone({ verdict, node }: OwnerLook): boolean {
  return verdict === 'silent' && node === null;
}

/** Leases of others than this host. */
async function renewedInTime(context: CollectContext, leases: readonly Lease[]): Promise<readonly Lease[]> {
  const [overdue, own] = await Promise.all([context.get(overdueLeasesFact), context.observe(ownLeaseFact)]);
  const left = new Set([...overdue.map(({ key }) => key), ...(own.status === 'known' ? [own.value.key] : [])]);
  return leases.filter(({ key, expiresAt }) => typeof expiresAt === 'number' && !left.has(key));
}

/** Only where the user named a Kubernetes API beside etcd; one that cannot be asked leaves everything unknown. */
async function nodesByAddress(context: CollectContext): Promise<ReadonlyMap<string, string>> {
  const { options } = await context.get(flannelStartFact);
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

function nodeOf({ attributes: { publicIp, publicIpv6 } }: Lease, nodes: ReadonlyMap<string, string>): string | null {
  return nodes.get(publicIp ?? '') ?? nodes.get(publicIpv6 ?? '') ?? null;
}
