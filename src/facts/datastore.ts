import { AbsentError } from '../errors.ts';
import { containsIp, parseCidr } from '../net/cidr.ts';
import { findOwnLease } from '../store/allocation.ts';
import type { NetworkConfig, VxlanConfig } from '../store/config.ts';
import type { Lease, LeaseListing } from '../store/store.ts';
import { parseStoredConfig } from '../store/stored-config.ts';
import { type CollectContext, defineFact } from './fact.ts';
import { type InterfaceInfo, interfacesFact } from './interfaces.ts';
import { underlayFact } from './overlay.ts';
import { openDatastore, storedConfigFact } from './stored-config.ts';

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
  absence: { follows: 'stored-config' },
  collect: async (context) => {
    const { kind, text, source } = await context.get(storedConfigFact);
    return { ...parseStoredConfig({ text, source }, kind), source };
  },
});

/** The vxlan settings; absent when the backend is another one. */
export const vxlanConfigFact = defineFact<VxlanConfig>({
  name: 'vxlan-config',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'another backend than vxlan' },
  collect: async (context) => {
    const { backend } = (await context.get(networkConfigFact)).config;
    if (backend.type === 'vxlan') return backend;
    throw new AbsentError(`the backend is ${backend.name === '' ? 'not named' : backend.name}, not vxlan`);
  },
});

/** All lease records of one revision. */
export const leasesFact = defineFact<LeaseListing>({
  name: 'leases',
  absence: 'never',
  cost: 'passive',
  timeoutMs: 10_000,
  collect: async (context) => (await openDatastore(context)).listLeases({ ttl: true }),
});

/** The lease whose public IP is this host's, else the one with the MAC and the subnet of flannel.N here; absent when no lease is. Several: the one whose subnet is configured here, else the first by key, as flannel. */
export const ownLeaseFact = defineFact<Lease>({
  name: 'own-lease',
  cost: 'passive',
  timeoutMs: 10_000,
  collect: async (context) => {
    const [{ records }, interfaces] = await Promise.all([context.get(leasesFact), context.get(interfacesFact)]);
    for (const who of await ownAddresses(context, interfaces)) {
      const lease = findOwnLease(records, who, (candidate) => isConfiguredHere(candidate, interfaces));
      if (lease !== undefined) return lease;
    }
    const behindNat = records.find((record) => record.kind === 'lease' && isPublishedFrom(record, interfaces));
    if (behindNat?.kind === 'lease') return behindNat;
    throw new AbsentError('no lease has a public IP of this host');
  },
});

interface PublicAddresses {
  readonly publicIp: string | null;
  readonly publicIpv6: string | null;
}

/** The advertised addresses first, then every address of this host: a lease may be older than the choice of the interface. */
async function ownAddresses(context: CollectContext, interfaces: readonly InterfaceInfo[]): Promise<PublicAddresses[]> {
  const underlay = await context.observe(underlayFact);
  const local = interfaces.flatMap(({ addresses }) => addresses).filter(({ scope }) => scope === 'global');
  return [
    ...(underlay.status === 'known' ? [underlay.value] : []),
    ...local.map(({ family, ip }) => ({ publicIp: family === 4 ? ip : null, publicIpv6: family === 6 ? ip : null })),
  ];
}

/** The public IP of a node behind NAT is on none of its interfaces: its subnet and the MAC of flannel.N together tell whose a lease is. */
function isPublishedFrom(lease: Lease, interfaces: readonly InterfaceInfo[]): boolean {
  const macs = [lease.attributes.vtep?.mac, lease.attributes.vtepV6?.mac];
  const isOnVxlan = interfaces.some(({ vxlan, mac }) => vxlan !== null && mac !== '' && macs.includes(mac));
  return isOnVxlan && isConfiguredHere(lease, interfaces);
}

/** An address of the subnet stands on a device: flannel.N or cni0. */
function isConfiguredHere({ subnet, ipv6Subnet }: Lease, interfaces: readonly InterfaceInfo[]): boolean {
  const network = parseCidr(subnet ?? ipv6Subnet ?? '');
  const addresses = interfaces.flatMap((device) => device.addresses);
  return network !== undefined && addresses.some(({ ip }) => containsIp(network, ip));
}
