import { desiredOverlay } from '../src/dataplane/desired.ts';
import type { ActualOverlay, DesiredOverlay } from '../src/dataplane/entry.ts';
import type { Lease } from '../src/store/store.ts';

export const PEERS = 5000;

/** An overlay of this node and `count` peers, each with a /24. */
export function overlayOf(count: number): DesiredOverlay {
  return desiredOverlay({
    config: {
      enableIPv4: true,
      enableIPv6: false,
      enableNFTables: false,
      network: '10.0.0.0/8',
      ipv6Network: null,
      subnetLen: 24,
      subnetMin: '10.0.1.0',
      subnetMax: '10.255.255.0',
      ipv6SubnetLen: null,
      ipv6SubnetMin: null,
      ipv6SubnetMax: null,
      backend: {
        type: 'vxlan',
        vni: 1,
        port: null,
        outerMtuBytes: null,
        gbp: false,
        learning: false,
        directRouting: false,
      },
    },
    own: leaseOf(1),
    underlay: {
      device: 'u0',
      mtuBytes: 1500,
      ipv4: '172.16.0.1',
      ipv6: null,
      publicIp: '172.16.0.1',
      publicIpv6: null,
      because: 'benchmark',
    },
    leases: leasesOf(count + 1),
    isDirect: () => false,
  });
}

/** The kernel in order: every entry is there. */
export function inOrder({ entries }: DesiredOverlay): ActualOverlay {
  const all = entries.map(({ entry }) => entry);
  return {
    links: all.filter((entry) => entry.kind === 'link').map((link) => ({ ...link, port: link.port ?? 8472 })),
    strangers: {},
    addresses: all.filter((entry) => entry.kind === 'address'),
    neighbours: all.filter((entry) => entry.kind === 'neighbour'),
    fdb: all.filter((entry) => entry.kind === 'fdb'),
    routes: all.filter((entry) => entry.kind === 'route').map((route) => ({ ...route, protocol: 'boot' })),
  };
}

function leasesOf(count: number): readonly Lease[] {
  return Array.from({ length: count }, (_, index) => leaseOf(index + 1));
}

function leaseOf(index: number): Lease {
  const [high, low] = [Math.floor(index / 250), (index % 250) + (index >= 250 ? 1 : 0)];
  const mac = `02:00:00:00:${hex(index >> 8)}:${hex(index & 0xff)}`;
  return {
    kind: 'lease',
    key: `10.${high}.${low}.0-24`,
    subnet: `10.${high}.${low}.0/24`,
    ipv6Subnet: null,
    expiresAt: null,
    etcdLease: null,
    modRevision: '1',
    node: null,
    attributes: {
      publicIp: `172.16.${high}.${low}`,
      publicIpv6: null,
      backendType: 'vxlan',
      vtep: { vni: 1, mac },
      vtepV6: null,
      backendData: { VNI: 1, VtepMAC: mac },
      backendV6Data: null,
    },
  };
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}
