import type { DesiredInput } from '../../src/dataplane/desired.ts';
import { desiredOverlay } from '../../src/dataplane/desired.ts';
import type { ActualOverlay, DesiredOverlay, Entry, Operation, OverlayPlan } from '../../src/dataplane/entry.ts';
import type { Underlay } from '../../src/dataplane/underlay.ts';
import type { NetworkConfig, VxlanConfig } from '../../src/store/config.ts';
import type { Lease, LeaseAttributes } from '../../src/store/store.ts';

export const NOTHING: ActualOverlay = {
  links: [],
  strangers: {},
  addresses: [],
  neighbours: [],
  fdb: [],
  routes: [],
};

export function aVxlan(values: Partial<VxlanConfig> = {}): VxlanConfig {
  return {
    type: 'vxlan',
    vni: 1,
    port: null,
    outerMtuBytes: null,
    gbp: false,
    learning: false,
    directRouting: false,
    ...values,
  };
}

export function aConfig(values: Partial<NetworkConfig> = {}): NetworkConfig {
  return {
    enableIPv4: true,
    enableIPv6: false,
    enableNFTables: false,
    network: '10.244.0.0/16',
    ipv6Network: 'fc00::/48',
    subnetLen: 24,
    subnetMin: '10.244.1.0',
    subnetMax: '10.244.255.0',
    ipv6SubnetLen: 64,
    ipv6SubnetMin: 'fc00:0:0:1::',
    ipv6SubnetMax: 'fc00:0:0:ffff::',
    backend: aVxlan(),
    ...values,
  };
}

export function anUnderlay(values: Partial<Underlay> = {}): Underlay {
  return {
    device: 'u0',
    mtuBytes: 1500,
    ipv4: '192.168.9.1',
    ipv6: 'fd00:9::1',
    publicIp: '192.168.9.1',
    publicIpv6: 'fd00:9::1',
    because: 'default route',
    ...values,
  };
}

/** The lease of node `index`: 10.244.INDEX.0/24 at 192.168.9.INDEX, and the like in IPv6. */
export function aLease(index: number, values: Partial<Lease> = {}, attributes: Partial<LeaseAttributes> = {}): Lease {
  const hex = index.toString(16).padStart(4, '0');
  const mac = `02:00:00:00:${hex.slice(0, 2)}:${hex.slice(2)}`;
  const subnet = `10.${244 + Math.floor(index / 256)}.${index % 256}.0/24`;
  return {
    kind: 'lease',
    key: subnet.replace('/', '-'),
    subnet,
    ipv6Subnet: `fc00:0:0:${index.toString(16)}::/64`,
    expiresAt: undefined,
    etcdLease: null,
    modRevision: '1',
    node: null,
    attributes: {
      publicIp: `192.168.${9 + Math.floor(index / 250)}.${index % 250 || 250}`,
      publicIpv6: `fd00:9::${index.toString(16)}`,
      backendType: 'vxlan',
      vtep: { vni: 1, mac },
      vtepV6: { vni: 1, mac },
      backendData: { VNI: 1, VtepMAC: mac },
      backendV6Data: { VNI: 1, VtepMAC: mac },
      ...attributes,
    },
    ...values,
  };
}

/** What node 1 should hold with peers 2 and 3. */
export function aDesired(values: Partial<DesiredInput> = {}): DesiredOverlay {
  return desiredOverlay({
    config: aConfig(),
    own: aLease(1),
    underlay: anUnderlay(),
    leases: [aLease(1), aLease(2), aLease(3)],
    isDirect: () => false,
    ...values,
  });
}

/** The kernel as it is after everything desired was programmed. */
export function actualOf({ entries }: DesiredOverlay): ActualOverlay {
  const all = entries.map(({ entry }) => entry);
  return {
    ...NOTHING,
    links: all.filter((entry) => entry.kind === 'link').map((link) => ({ ...link, port: link.port ?? 8472 })),
    addresses: all.filter((entry) => entry.kind === 'address'),
    neighbours: all.filter((entry) => entry.kind === 'neighbour'),
    fdb: all.filter((entry) => entry.kind === 'fdb'),
    routes: all.filter((entry) => entry.kind === 'route'),
  };
}

export function entriesOf<K extends Entry['kind']>({ entries }: DesiredOverlay, kind: K) {
  return entries.map(({ entry }) => entry).filter((entry) => entry.kind === kind) as Extract<Entry, { kind: K }>[];
}

/** What is not in order. */
export function changesOf({ operations }: OverlayPlan): readonly Operation[] {
  return operations.filter(({ verb }) => verb !== 'keep');
}
