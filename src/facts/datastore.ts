import type { NetworkConfig, VxlanConfig } from '../store/config.ts';
import type { Lease, LeaseListing } from '../store/store.ts';
import { defineFact } from './fact.ts';

export interface NetworkConfigFact {
  readonly config: NetworkConfig;
  /** Where flannel itself would silently do something else than the document says. */
  readonly warnings: readonly string[];
  readonly source: string;
}

/** The network configuration, parsed. `unknown` (`malformed`) when flannel's own parser would refuse it. */
export const networkConfigFact = defineFact<NetworkConfigFact>({
  name: 'network-config',
  cost: 'passive',
  timeoutMs: 10_000,
  collect: async () => {
    throw new Error('unwritten');
  },
});

/** The vxlan settings; absent when the backend is another one. */
export const vxlanConfigFact = defineFact<VxlanConfig>({
  name: 'vxlan-config',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'another backend than vxlan' },
  collect: async () => {
    throw new Error('unwritten');
  },
});

/** All lease records of one revision. */
export const leasesFact = defineFact<LeaseListing>({
  name: 'leases',
  cost: 'passive',
  timeoutMs: 10_000,
  collect: async () => {
    throw new Error('unwritten');
  },
});

/** The lease whose public IP is this host's; absent when no lease is. Several: the one whose subnet is configured here, else the first by key, as flannel. */
export const ownLeaseFact = defineFact<Lease>({
  name: 'own-lease',
  cost: 'passive',
  timeoutMs: 10_000,
  collect: async () => {
    throw new Error('unwritten');
  },
});
