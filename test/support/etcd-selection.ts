import type { FlannelInstall } from '../../src/facts/flannel.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import type { EtcdSelection } from '../../src/store/store.ts';

/** One endpoint and flannel's own prefix, without TLS and user. */
export function etcdSelection(parts: Partial<EtcdSelection> = {}): EtcdSelection {
  const none = { keyFile: '', certFile: '', caFile: '', username: '' };
  return { kind: 'etcd', endpoints: ['http://10.0.0.1:2379'], prefix: '/coreos.com/network', ...none, ...parts };
}

/** A flanneld that runs as a service of the host and uses etcd. */
export function anInstall(parts: Partial<FlannelInstall> = {}): FlannelInstall {
  return {
    deployment: 'systemd',
    process: { pid: 812, name: 'flanneld', startedAt: 0, state: 'S' },
    version: null,
    subnetManager: 'etcd',
    datastore: etcdSelection(),
    optionsSource: 'command line of flanneld (pid 812)',
    options: FLANNEL_DEFAULTS,
    unit: null,
    traces: [],
    ...parts,
  };
}
