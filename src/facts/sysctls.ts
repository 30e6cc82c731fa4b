import { defineFact } from './fact.ts';

/** Kernel settings by sysctl name, `net.ipv4.ip_forward` → `1`; a name the kernel does not have is left out. */
export type Sysctls = Readonly<Record<string, string>>;

/** ip_forward, conf.{all,default,<underlay>,cni0,flannel.N}.forwarding and rp_filter, bridge-nf-call-*, the IPv6 likes. */
export const sysctlsFact = defineFact<Sysctls>({
  name: 'sysctls',
  cost: 'passive',
  timeoutMs: 3000,
  collect: async () => {
    throw new Error('unwritten');
  },
});
