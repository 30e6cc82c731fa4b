import type { FlannelOptions } from '../net/flannel-options.ts';
import type { StoreSelection } from '../store/store.ts';
import { defineFact } from './fact.ts';

export type Deployment = 'daemonset' | 'systemd' | 'k3s' | 'rke2' | 'process' | 'flannelctl' | 'none';

/** How flannel runs here; never absent: nothing at all is `deployment: 'none'` without traces. */
export interface FlannelInstall {
  readonly deployment: Deployment;
  /** The running owner of the overlay in this network namespace; `null`: none runs. */
  readonly process: {
    readonly pid: number;
    readonly name: string;
    readonly startedAt: number;
    readonly state: string;
  } | null;
  readonly version: string | null;
  readonly subnetManager: 'etcd' | 'kube' | 'unknown';
  /** `null`: not known which; flannel's default endpoints are not tried as if configured. */
  readonly datastore: StoreSelection | null;
  /** Why `datastore` is what it is, for a person: `command line of flanneld (pid 812)`. */
  readonly optionsSource: string;
  readonly options: FlannelOptions;
  /** systemd unit that starts it, when there is one: `flanneld.service`. */
  readonly unit: string | null;
  /** What shows that flannel was here: `flannel.1`, `/run/flannel/subnet.env`, `/etc/cni/net.d/10-flannel.conflist`, `chain FLANNEL-FWD`. */
  readonly traces: readonly string[];
}

export const flannelFact = defineFact<FlannelInstall>({
  name: 'flannel',
  cost: 'passive',
  timeoutMs: 8000,
  collect: async () => {
    throw new Error('unwritten');
  },
});
