import { AbsentError, UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { KubeApi, KubeNode } from '../kube/kube.ts';
import { annotateNode } from './kube-annotate.ts';
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
 * Node that `nodeName` names are written.
 */
export function kubeStore({ selection, host, kube }: KubeStoreOptions): SubnetStore {
  const { nodeName } = selection;
  const description = `kubernetes ${kube.description}`;
  const refuse = (what: string, hint: string) => async () => {
    throw new UnavailableError('unsupported', `${what} cannot be written through the Kubernetes API`, { hint });
  };
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
    acquire:
      nodeName === undefined
        ? refuse('a lease', READ_POD_CIDR)
        : ({ attributes }) => annotateNode(kube, { name: nodeName, attributes, lease: null }),
    renew:
      nodeName === undefined
        ? refuse('a lease', 'Let flannel write it: it annotates its own Node when it starts.')
        : (lease, attributes) => annotateNode(kube, { name: nodeName, attributes, lease }),
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

const EDIT_CONFIG_MAP = 'Edit net-conf.json in the ConfigMap kube-flannel-cfg and restart flannel.';
const READ_POD_CIDR = 'Kubernetes gives each Node its podCIDR; see the flags of kube-controller-manager.';
const DELETE_NODE = 'Delete the Node with "kubectl delete node NAME" when the machine is gone for good.';

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
