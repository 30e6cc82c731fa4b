import { desiredOverlay } from '../../src/dataplane/desired.ts';
import { DEFAULT_PORT } from '../../src/dataplane/device.ts';
import type { ActualOverlay, DesiredOverlay, Entry, LinkEntry, OverlayPlan } from '../../src/dataplane/entry.ts';
import { planOverlay } from '../../src/dataplane/plan.ts';
import type { Finding } from '../../src/doctor/check.ts';
import type { Observed } from '../../src/facts/fact.ts';
import type { InterfaceInfo } from '../../src/facts/interfaces.ts';
import type { Underlay } from '../../src/facts/overlay.ts';
import type { SubnetEnv } from '../../src/facts/subnet-env.ts';
import type { NetworkConfig } from '../../src/store/config.ts';
import type { Lease, LeaseListing, LeaseRecord } from '../../src/store/store.ts';

/** What the link and peer checks read of a node; peers are numbered from 2, this node is 1. */
export interface OverlayScene {
  readonly desired: DesiredOverlay;
  readonly actual: ActualOverlay;
  readonly plan: OverlayPlan;
  readonly lease: Lease;
  readonly leases: LeaseListing;
  readonly underlay: Underlay;
  readonly interfaces: readonly InterfaceInfo[];
  readonly subnetEnv: Observed<SubnetEnv>;
}

export interface SceneParts {
  /** Default 2. */
  readonly peers?: number;
  /** Both families; default: IPv4 alone. */
  readonly dualStack?: boolean;
  /** Every peer is on the underlay's link, and routed there. */
  readonly directRouting?: boolean;
  /** Records besides those of the node and its peers. */
  readonly moreLeases?: readonly LeaseRecord[];
  readonly interfaces?: readonly InterfaceInfo[];
  readonly subnetEnv?: Observed<SubnetEnv>;
  /** What is otherwise in the kernel of a healthy node. */
  readonly kernel?: (healthy: ActualOverlay) => ActualOverlay;
}

export const DEVICE = 'flannel.1';
export const DEVICE_V6 = 'flannel-v6.1';

/** A healthy node, but for what is named. */
export function overlayScene(parts: SceneParts = {}): OverlayScene {
  const numbers = Array.from({ length: (parts.peers ?? 2) + 1 }, (_, at) => at + 1);
  const dualStack = parts.dualStack ?? false;
  const own = aLease(1, { dualStack });
  const records = [...numbers.map((number) => aLease(number, { dualStack })), ...(parts.moreLeases ?? [])];
  const underlay = anUnderlay(dualStack);
  const config = aConfig(parts);
  const desired = desiredOverlay({ config, own, underlay, leases: records, isDirect: () => true });
  const actual = (parts.kernel ?? ((healthy) => healthy))(asDesired(desired));
  return {
    desired,
    actual,
    plan: planOverlay(desired, actual, { removals: true }),
    lease: own,
    leases: { records, revision: '7', clusterId: null, source: 'file /state' },
    underlay,
    interfaces: parts.interfaces ?? [],
    subnetEnv: parts.subnetEnv ?? { status: 'absent', detail: 'no file' },
  };
}

export function macOf(number: number): string {
  return `02:00:00:00:00:${number.toString(16).padStart(2, '0')}`;
}

export function publicIpOf(number: number): string {
  return `192.168.77.${number}`;
}

export function subnetOf(number: number): string {
  return `10.244.${number}.0/24`;
}

export function aLease(number: number, { dualStack = false }: { readonly dualStack?: boolean } = {}): Lease {
  return {
    kind: 'lease',
    key: `10.244.${number}.0-24`,
    expiresAt: undefined,
    etcdLease: null,
    modRevision: '7',
    node: null,
    subnet: subnetOf(number),
    ipv6Subnet: dualStack ? `fd00:${number}::/64` : null,
    attributes: {
      publicIp: publicIpOf(number),
      publicIpv6: dualStack ? `fd77::${number}` : null,
      backendType: 'vxlan',
      vtep: { vni: 1, mac: macOf(number) },
      vtepV6: dualStack ? { vni: 1, mac: macOf(number) } : null,
      backendData: null,
      backendV6Data: null,
    },
  };
}

/** The kernel's state with all links changed alike. */
export function withLinks(change: Partial<LinkEntry>, device = DEVICE): (healthy: ActualOverlay) => ActualOverlay {
  return (healthy) => ({
    ...healthy,
    links: healthy.links.map((link) => (link.device === device ? { ...link, ...change } : link)),
  });
}

/** The kernel's state without the entries of one device that are of these kinds. */
export function withoutEntries(
  kinds: readonly Entry['kind'][],
  isLost: (entry: Entry) => boolean = () => true,
): (healthy: ActualOverlay) => ActualOverlay {
  const keep = (entry: Entry) => !(kinds.includes(entry.kind) && isLost(entry));
  return ({ strangers, links, addresses, neighbours, fdb, routes }) => ({
    strangers,
    links: links.filter(keep),
    addresses: addresses.filter(keep),
    neighbours: neighbours.filter(keep),
    fdb: fdb.filter(keep),
    routes: routes.filter(keep),
  });
}

export function both(
  first: (healthy: ActualOverlay) => ActualOverlay,
  second: (healthy: ActualOverlay) => ActualOverlay,
): (healthy: ActualOverlay) => ActualOverlay {
  return (healthy) => second(first(healthy));
}

interface EdgeLike<V> {
  readonly id: string;
  because(cause: Finding, own: Finding<V>): { readonly en: string } | undefined;
}

/** The English reason why one check's finding follows from another's; `undefined`: it does not. */
export function reasonBetween<V>(
  edges: readonly EdgeLike<V>[] | undefined,
  id: string,
  { cause, own }: { readonly cause: Finding | undefined; readonly own: Finding<V> | undefined },
): string | undefined {
  const edge = edges?.find((candidate) => candidate.id === id);
  if (edge === undefined || cause === undefined || own === undefined) throw new TypeError(`no edge from ${id} here`);
  return edge.because(cause, own)?.en;
}

function aConfig({ dualStack = false, directRouting = false }: SceneParts): NetworkConfig {
  return {
    enableIPv4: true,
    enableIPv6: dualStack,
    enableNFTables: false,
    network: '10.244.0.0/16',
    ipv6Network: dualStack ? 'fd00::/16' : null,
    subnetLen: 24,
    subnetMin: null,
    subnetMax: null,
    ipv6SubnetLen: null,
    ipv6SubnetMin: null,
    ipv6SubnetMax: null,
    backend: { type: 'vxlan', vni: 1, port: null, outerMtuBytes: null, gbp: false, learning: false, directRouting },
  };
}

function anUnderlay(dualStack: boolean): Underlay {
  const ipv6 = dualStack ? 'fd77::1' : null;
  const ipv4 = publicIpOf(1);
  return { device: 'eth0', mtuBytes: 1500, ipv4, ipv6, publicIp: ipv4, publicIpv6: ipv6, because: '--iface=eth0' };
}

/** What the kernel shows after everything was programmed. */
function asDesired({ entries }: DesiredOverlay): ActualOverlay {
  const all = entries.map(({ entry }) => entry);
  return {
    links: all.flatMap((entry) => (entry.kind === 'link' ? [{ ...entry, port: entry.port ?? DEFAULT_PORT }] : [])),
    strangers: {},
    addresses: all.filter((entry) => entry.kind === 'address'),
    neighbours: all.filter((entry) => entry.kind === 'neighbour'),
    fdb: all.filter((entry) => entry.kind === 'fdb'),
    routes: all.flatMap((entry) =>
      entry.kind === 'route' ? [{ ...entry, device: entry.device ?? 'eth0', protocol: 'boot' }] : [],
    ),
  };
}
