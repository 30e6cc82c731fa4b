import { defineFact } from './fact.ts';

/** The subnet file as it stands. */
export interface SubnetEnv {
  readonly path: string;
  /** Epoch ms. */
  readonly modifiedAt: number;
  /** Canonical networks; `null`: the key is missing or its value is in `problems`. */
  readonly networks: readonly string[] | null;
  /** `10.244.1.0/24`, of FLANNEL_SUBNET=10.244.1.1/24. */
  readonly subnet: string | null;
  readonly ipv6Networks: readonly string[] | null;
  readonly ipv6Subnet: string | null;
  readonly mtuBytes: number | null;
  readonly ipMasq: boolean | null;
  /** What the CNI plugin would refuse, one line each: `FLANNEL_MTU is missing`, `line 2 has no "="`. Hostile text escaped. */
  readonly problems: readonly string[];
}

export const subnetEnvFact = defineFact<SubnetEnv>({
  name: 'subnet-env',
  cost: 'passive',
  timeoutMs: 2000,
  collect: async () => {
    throw new Error('unwritten');
  },
});
