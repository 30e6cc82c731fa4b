import { defineFact } from './fact.ts';

/** A process in the network namespace of this host. */
export interface ProcessInfo {
  readonly pid: number;
  /** Basename of the program as started: `flanneld`, `k3s`, `kubelet`. */
  readonly name: string;
  /** Arguments, argv[0] included; secret values masked. */
  readonly argv: readonly string[];
  /** Letter of /proc/PID/stat: `S`, `R`, `T` (stopped), `Z`. */
  readonly state: string;
  /** Epoch ms. */
  readonly startedAt: number;
  /** Which unit or container it belongs to, as the cgroup says: `flanneld.service`, `kubepods`; `''`: neither. */
  readonly cgroup: string;
}

/** Processes of this network namespace that have to do with flannel: flanneld, k3s, rke2, kubelet, containerd, dockerd, crio, flannelctl. */
export const processesFact = defineFact<readonly ProcessInfo[]>({
  name: 'processes',
  cost: 'passive',
  timeoutMs: 5000,
  collect: async () => {
    throw new Error('unwritten');
  },
});
