import { AbsentError } from '../errors.ts';
import { bitsOf, type Family } from '../net/cidr.ts';
import { canonicalMac } from '../net/mac.ts';
import type { NetworkConfig, VxlanConfig } from '../store/config.ts';
import type { Lease, LeaseRecord } from '../store/store.ts';
import { DEFAULT_METRIC, linkMtu, type OverlayFamily, overlayFamilies } from './device.ts';
import type { DesiredEntry, DesiredOverlay, Entry, OverlayPeer, RouteEntry } from './entry.ts';
import { entryKey } from './key.ts';
import { judgePeer, type PeerInput, type PeerSide } from './peers.ts';
import type { Underlay } from './underlay.ts';

export interface DesiredInput {
  readonly config: NetworkConfig;
  /** Lease of this node; `null`: it has none, and only what serves the peers is desired. */
  readonly own: Lease | null;
  /** Subnets that this node uses besides its lease's, CIDR notation: a lease on one of them is no peer. */
  readonly ownSubnets?: readonly string[];
  readonly underlay: Underlay;
  readonly leases: readonly LeaseRecord[];
  /** Whether a public IP is on a link of this host; asked only with DirectRouting. */
  readonly isDirect: (publicIp: string) => boolean;
  /** `--ip-blackhole-route`; absence: not given. */
  readonly hasBlackhole?: boolean;
  /** Whether the kernel holds an entry already: of two peers that want the same one, it is that one's. */
  readonly isHeld?: (entry: Entry) => boolean;
}

interface Peer {
  readonly overlay: OverlayPeer;
  readonly entries: readonly DesiredEntry[];
}

interface Ignored {
  readonly key: string;
  readonly reason: string;
}

/**
 * What the kernel of this node should hold (flannel pkg/backend/vxlan).
 *
 * @throws {AbsentError} when the backend is another one.
 */
export function desiredOverlay(input: DesiredInput): DesiredOverlay {
  const vxlan = vxlanOf(input.config);
  const families = overlayFamilies(input.config, vxlan.vni);
  const ignored: Ignored[] = [];
  const peers = peersOf(input, { vxlan, families, ignored });
  return {
    entries: [
      ...families.flatMap((family) => nodeEntries(input, vxlan, family)),
      ...withoutTaken(peers, ignored, input.isHeld ?? (() => false)),
    ],
    devices: families.map(({ device }) => device),
    networks: families.map(({ network }) => network),
    peers: peers.map(({ overlay }) => overlay),
    ignored,
  };
}

/** @throws {AbsentError} when the backend is another one. */
export function vxlanOf(config: NetworkConfig): VxlanConfig {
  if (config.backend.type === 'vxlan') return config.backend;
  throw new AbsentError(`the backend is ${JSON.stringify(config.backend.name)}, not vxlan`);
}

function nodeEntries(input: DesiredInput, vxlan: VxlanConfig, overlay: OverlayFamily): readonly DesiredEntry[] {
  const { own, underlay } = input;
  const { family, device } = overlay;
  const subnet = family === 4 ? own?.subnet : own?.ipv6Subnet;
  if (own === null || subnet === null || subnet === undefined) return [];
  const vtep = family === 4 ? own.attributes.vtep : own.attributes.vtepV6;
  const link: Entry = {
    kind: 'link',
    device,
    vni: vxlan.vni,
    port: vxlan.port,
    local: family === 4 ? (underlay.tunnelIpv4 ?? underlay.publicIp) : (underlay.tunnelIpv6 ?? underlay.publicIpv6),
    underlay: underlay.device,
    mtuBytes: linkMtu(family, vxlan, underlay.mtuBytes),
    mac: canonicalMac(vtep?.mac ?? '') ?? null,
    learning: vxlan.learning,
    gbp: vxlan.gbp,
    isUp: true,
  };
  const address: Entry = { kind: 'address', device, address: `${networkAddress(subnet)}/${bitsOf(family)}` };
  const entries = input.hasBlackhole === true ? [link, address, blackhole(subnet, family)] : [link, address];
  return entries.map((entry) => ({ entry, subject: 'node' }));
}

/** What is sent to a pod that is not there ends here and does not leave by the default route (flannel pkg/ip AddBlackholeV4Route). */
function blackhole(dst: string, family: Family): RouteEntry {
  return {
    kind: 'route',
    type: 'blackhole',
    dst,
    via: null,
    device: null,
    isOnlink: false,
    metric: DEFAULT_METRIC[family],
  };
}

interface PeerContext {
  readonly vxlan: VxlanConfig;
  readonly families: readonly OverlayFamily[];
  readonly ignored: Ignored[];
}

function peersOf(input: DesiredInput, { vxlan, families, ignored }: PeerContext): readonly Peer[] {
  const { own, underlay } = input;
  const judging: PeerInput = {
    families,
    ownKey: own?.key,
    ownPublicIps: present([
      underlay.publicIp,
      underlay.publicIpv6,
      own?.attributes.publicIp,
      own?.attributes.publicIpv6,
    ]),
    ownMacs: present([own?.attributes.vtep?.mac, own?.attributes.vtepV6?.mac]),
    ownSubnets: [...new Set(present([own?.subnet, own?.ipv6Subnet, ...(input.ownSubnets ?? [])]))],
  };
  const isDirect = (publicIp: string) => vxlan.directRouting && input.isDirect(publicIp);
  return input.leases.flatMap((record) => {
    const verdict = judgePeer(record, judging);
    if (verdict === 'own') return [];
    ignored.push(...verdict.reasons.map((reason) => ({ key: record.key, reason })));
    return peerOf(verdict.sides, isDirect) ?? [];
  });
}

function present(values: readonly (string | null | undefined)[]): readonly string[] {
  return values.filter((value) => value !== null && value !== undefined);
}

function peerOf(sides: readonly PeerSide[], isDirect: (publicIp: string) => boolean): Peer | undefined {
  const [first] = sides;
  if (first === undefined) return undefined;
  const subject = { subnet: first.subnet, publicIp: first.publicIp };
  return {
    overlay: {
      ...subject,
      ipv6Subnet: sides.find(({ family }) => family === 6)?.subnet ?? null,
      vtepMac: first.mac,
      vni: first.vni,
      overlayIp: first.overlayIp,
      isDirect: isDirect(first.publicIp),
    },
    entries: sides.flatMap((side) => sideEntries(side, isDirect(side.publicIp)).map((entry) => ({ entry, subject }))),
  };
}

/** Per peer: neighbour, fdb, route; or the route alone where the peer is on a link of this host (flannel vxlan_network.go). */
function sideEntries(side: PeerSide, isDirect: boolean): readonly Entry[] {
  const { device, mac, overlayIp, publicIp } = side;
  const route: RouteEntry = {
    kind: 'route',
    dst: side.subnet,
    via: isDirect ? publicIp : overlayIp,
    device: isDirect ? null : device,
    isOnlink: !isDirect,
    metric: DEFAULT_METRIC[side.family],
  };
  if (isDirect) return [route];
  return [
    { kind: 'neighbour', device, ip: overlayIp, mac, isPermanent: true },
    { kind: 'fdb', device, mac, dst: publicIp, isPermanent: true },
    route,
  ];
}

/**
 * Two peers cannot have one entry: who has it in the kernel keeps it, else the first, or apply would change it to and fro for ever, and
 * a stranger who publishes a peer's MAC would take its traffic.
 */
function withoutTaken(
  peers: readonly Peer[],
  ignored: Ignored[],
  isHeld: (entry: Entry) => boolean,
): readonly DesiredEntry[] {
  const owners = new Map<string, { readonly entry: Entry; readonly publicIp: string }>();
  for (const { entries, overlay } of peers) {
    for (const { entry } of entries) {
      const key = entryKey(entry);
      const before = owners.get(key);
      if (before === undefined || (isHeld(entry) && !isHeld(before.entry)))
        owners.set(key, { entry, publicIp: overlay.publicIp });
    }
  }
  return peers.flatMap(({ entries, overlay }) =>
    entries.filter(({ entry }) => {
      const key = entryKey(entry);
      const owner = owners.get(key);
      if (owner === undefined || owner.entry === entry) return true;
      // two leases of one host want the same forwarding entry: it is there for both
      if (JSON.stringify(owner.entry) === JSON.stringify(entry)) return false;
      const reason = `${key} is already that of ${owner.publicIp}, not of ${overlay.publicIp}`;
      ignored.push({ key: overlay.subnet, reason });
      return false;
    }),
  );
}

function networkAddress(subnet: string): string {
  return subnet.slice(0, subnet.indexOf('/'));
}
