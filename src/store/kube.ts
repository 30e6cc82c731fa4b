import { AbsentError, UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { KubeApi, KubeNode } from '../kube/kube.ts';
import type { OwnNode } from './assigned.ts';
import { annotateNode, previewAnnotation } from './kube-annotate.ts';
import { watchKube } from './kube-watch.ts';
import { decodeNode } from './node-lease.ts';
import type { DumpedRecord, KubeSelection, LeasePage, LeaseRecord, StoredNetworkConfig, SubnetStore } from './store.ts';

export interface KubeStoreOptions {
  readonly selection: KubeSelection;
  readonly host: Host;
  readonly kube: KubeApi;
}

/**
 * Leases as flannel's peers see them in the Nodes. The podCIDR is the subnet: nothing is allocated, and only the annotations of the
 * Node that `node` names are written.
 */
export function kubeStore({ selection, host, kube }: KubeStoreOptions): SubnetStore {
  const description = `kubernetes ${kube.description}`;
  const readConfig = async () => {
    const source = selection.netConfigPath;
    return { text: await host.readFile(source), modRevision: '', source };
  };
  return {
    kind: 'kube',
    description,
    readNetworkConfig: readConfig,
    writeNetworkConfig: refuse('the network configuration', EDIT_CONFIG_MAP),
    listLeases: async ({ ttl = true, onPage } = {}) => {
      const { nodes, resourceVersion: revision } = await kube.listNodes();
      const records = nodes
        .flatMap((node) => decodeNode(node) ?? [])
        .map((record) => (ttl ? record : { ...record, expiresAt: undefined }));
      onPage?.({ records, revision });
      return { records, revision, clusterId: null, source: description };
    },
    readTimes: async (page, onPage) => withoutEnd(page, onPage),
    ...(selection.node === undefined ? OF_OTHERS : ownLease(kube, selection.node)),
    remove: refuse('the removal of a lease', DELETE_NODE),
    putBack: refuse('a lease', 'Let the node register again: its podCIDR and its flannel write the lease.'),
    dump: async ({ keys } = {}) => {
      const { nodes, resourceVersion: revision } = await kube.listNodes();
      const config = await readIfThere(readConfig);
      const wanted = nodes.filter((node) => keys?.has(node.name) !== false && decodeNode(node) !== undefined);
      const records = wanted.map(dumpNode);
      return { revision, clusterId: null, prefix: selection.annotationPrefix, config, records };
    },
    watch: (signal, options = {}) => watchKube(kube.watchNodes(signal, options), description),
    close: () => kube.close(),
  };
}

type OwnLease = Pick<SubnetStore, 'acquire' | 'renew' | 'assigned'>;

function ownLease(kube: KubeApi, node: OwnNode): OwnLease {
  const ownKey = ownNode(kube, node);
  return {
    acquire: async ({ attributes }) => annotateNode(kube, { name: await ownKey(), attributes, lease: null }),
    renew: async (lease, attributes) => annotateNode(kube, { name: await ownKey(), attributes, lease }),
    assigned: {
      ownKey,
      preview: async (attributes) => previewAnnotation(kube, { name: await ownKey(), attributes }),
    },
  };
}

/** A Pod stays on its Node: the API is asked until it has said once which. */
function ownNode(kube: KubeApi, node: OwnNode): () => Promise<string> {
  if ('name' in node) return async () => node.name;
  let known: string | undefined;
  return async () => {
    known ??= await kube.nodeOfPod(node.pod.namespace, node.pod.name);
    return known;
  };
}

function refuse(what: string, hint: string) {
  return async () => {
    throw new UnavailableError('unsupported', `${what} cannot be written through the Kubernetes API`, { hint });
  };
}

const EDIT_CONFIG_MAP = 'Edit net-conf.json in the ConfigMap kube-flannel-cfg and restart flannel.';
const READ_POD_CIDR = 'Kubernetes gives each Node its podCIDR; see the flags of kube-controller-manager.';
const DELETE_NODE = 'Delete the Node with "kubectl delete node NAME" when the machine is gone for good.';

/** Where this host has no Node of its own. */
const OF_OTHERS: OwnLease = {
  acquire: refuse('a lease', READ_POD_CIDR),
  renew: refuse('a lease', 'Let flannel write it: it annotates its own Node when it starts.'),
};

/** A record holds what flannel's peers read, as JSON. */
function dumpNode({ name, podCidr, podCidrs, flannelAnnotations, resourceVersion }: KubeNode): DumpedRecord {
  const value = JSON.stringify({ podCIDR: podCidr, podCIDRs: podCidrs, annotations: flannelAnnotations });
  const valueBase64 = Buffer.from(value).toString('base64');
  return { key: name, valueBase64, modRevision: resourceVersion, etcdLease: null, ttlSeconds: null };
}

/** A Node's lease is never dropped for its age. */
function withoutEnd({ records, revision }: LeasePage, onPage?: (page: LeasePage) => void): readonly LeaseRecord[] {
  const timed = records.map((record) => ({ ...record, expiresAt: null }));
  onPage?.({ records: timed, revision });
  return timed;
}

async function readIfThere(readConfig: () => Promise<StoredNetworkConfig>): Promise<string | null> {
  try {
    return (await readConfig()).text;
  } catch (error) {
    if (error instanceof AbsentError) return null;
    throw error;
  }
}
