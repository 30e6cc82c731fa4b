import { AbsentError } from '../errors.ts';
import type { KubeNode } from '../kube/kube.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import { selectStore } from '../store/selection.ts';
import type { LeaseRecord } from '../store/store.ts';
import { escapeText } from '../store/untrusted-text.ts';
import { defineFact } from './fact.ts';
import { type FlannelStart, flannelStartFact } from './flannel.ts';
import { type ProcessInfo, processesFact } from './processes.ts';

/** A host by its public IP, as one of the two datastores knows it. */
export interface ManagedHost {
  readonly publicIp: string;
  readonly subnet: string;
}

/** The flanneld processes of this host by the subnet manager that their command lines name. */
export interface ManagersHere {
  readonly etcd: readonly number[];
  readonly kube: readonly number[];
}

/** A command line that names neither manager says nothing: it may be chosen by the environment. */
export const managersHereFact = defineFact<ManagersHere>({
  name: 'managers-here',
  cost: 'passive',
  timeoutMs: 5000,
  absence: 'never',
  collect: async (context) => {
    const flannelds = (await context.get(processesFact)).filter(({ name }) => name === 'flanneld');
    const pids = (isWanted: (process: ProcessInfo) => boolean) => flannelds.filter(isWanted).map(({ pid }) => pid);
    return { etcd: pids((process) => namesEtcd(process) && !namesKube(process)), kube: pids(namesKube) };
  },
});

function namesEtcd({ argv }: ProcessInfo): boolean {
  return argv.some((word) => /^--?etcd-endpoints(=|$)/.test(word));
}

function namesKube({ argv }: ProcessInfo): boolean {
  return argv.some((word) => /^--?kube-subnet-mgr(=(1|t|true))?$/i.test(word));
}

/** Hosts in both datastores, as far as the second one is named too. */
export interface BothManagers {
  readonly etcd: readonly ManagedHost[];
  readonly kube: readonly ManagedHost[];
  /** Where each was read. */
  readonly sources: readonly [etcd: string, kube: string];
}

/** Absent when nothing names another datastore than the one that flannel uses here: none is guessed. */
export const bothManagersFact = defineFact<BothManagers>({
  name: 'both-managers',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'only one datastore is named' },
  collect: async (context) => {
    const { options, subnetManager, datastore } = await context.get(flannelStartFact);
    if (datastore === null || !namesBoth(context.given.flannel, subnetManager))
      throw new AbsentError('nothing names a second datastore');
    const other = selectStore({ ...options, kubeSubnetMgr: subnetManager === 'etcd' });
    const [inEtcd, inKube] = datastore.kind === 'kube' ? [other, datastore] : [datastore, other];
    if (inKube.kind !== 'kube') throw new AbsentError('nothing names a Kubernetes API');
    const [store, kube] = await Promise.all([context.openStore(inEtcd), context.openKube(inKube)]);
    const [{ records, source }, { nodes }] = await Promise.all([store.listLeases({ ttl: true }), kube.listNodes()]);
    return { etcd: hostsOf(records), kube: hostsOfNodes(nodes), sources: [source, `kubernetes ${kube.description}`] };
  },
});

/** Flags that the user gave to us: those of flanneld that its manager does not use may be left over from another life. */
function namesBoth(given: Partial<FlannelOptions>, manager: FlannelStart['subnetManager']): boolean {
  if (manager === 'etcd') return given.kubeconfigFile !== undefined || given.kubeApiUrl !== undefined;
  return manager === 'kube' && given.etcdEndpoints !== undefined;
}

/** A node that is not ready may have been left behind by a move. */
function hostsOfNodes(nodes: readonly KubeNode[]): readonly ManagedHost[] {
  return nodes.flatMap(({ flannelAnnotations, podCidr, ready }): readonly ManagedHost[] => {
    const publicIp = flannelAnnotations['public-ip'];
    const isManaged = flannelAnnotations['kube-subnet-manager'] === 'true' && ready?.status === 'True';
    return publicIp === undefined || podCidr === null || !isManaged
      ? []
      : [{ publicIp: escapeText(publicIp, 60), subnet: podCidr }];
  });
}

/** Reservations belong to nobody. */
function hostsOf(records: readonly LeaseRecord[]): readonly ManagedHost[] {
  return records.flatMap((record): readonly ManagedHost[] => {
    if (record.kind !== 'lease' || typeof record.expiresAt !== 'number') return [];
    const publicIp = record.attributes.publicIp ?? record.attributes.publicIpv6;
    return publicIp === null ? [] : [{ publicIp, subnet: record.subnet ?? record.ipv6Subnet ?? record.key }];
  });
}
