import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { KubeApi } from '../kube/kube.ts';
import { decodeNode } from './node-lease.ts';
import type { KubeSelection, SubnetStore } from './store.ts';

export interface KubeStoreOptions {
  readonly selection: KubeSelection;
  readonly host: Host;
  readonly kube: KubeApi;
}

/** Leases as flannel's peers see them in the Nodes. Read-only: there the podCIDR is the subnet and nothing is acquired. */
export function kubeStore({ selection, host, kube }: KubeStoreOptions): SubnetStore {
  const description = `kubernetes ${kube.description}`;
  return {
    kind: 'kube',
    description,
    readNetworkConfig: async () => {
      const source = selection.netConfigPath;
      return { text: await host.readFile(source), modRevision: '', source };
    },
    writeNetworkConfig: async () => {
      throw unsupported(
        'the network configuration',
        'Edit net-conf.json in the ConfigMap kube-flannel-cfg and restart flannel.',
      );
    },
    listLeases: async ({ ttl = true } = {}) => {
      const { nodes, resourceVersion } = await kube.listNodes();
      const records = nodes
        .flatMap((node) => decodeNode(node) ?? [])
        .map((record) => (ttl ? record : { ...record, expiresAt: undefined }));
      return { records, revision: resourceVersion, clusterId: null, source: description };
    },
    acquire: async () => {
      throw unsupported('a lease', 'Kubernetes gives each Node its podCIDR; see the flags of kube-controller-manager.');
    },
    close: () => kube.close(),
  };
}

function unsupported(what: string, hint: string): UnavailableError {
  return new UnavailableError('unsupported', `${what} cannot be written through the Kubernetes API`, { hint });
}
