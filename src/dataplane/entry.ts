/** One kernel object of the overlay. Addresses are canonical text, MACs lower case with colons. */
export type Entry = LinkEntry | AddressEntry | NeighbourEntry | FdbEntry | RouteEntry;

export interface LinkEntry {
  readonly kind: 'link';
  /** `flannel.1`, `flannel-v6.1`. */
  readonly device: string;
  readonly vni: number;
  /** UDP port; `null` in a desired link: the kernel's default. */
  readonly port: number | null;
  /** Source address of the tunnel; `null`: the device has none. */
  readonly local: string | null;
  /** Name of the underlay interface; `null`: the device is bound to none. */
  readonly underlay: string | null;
  readonly mtuBytes: number;
  /** `null` in a desired link: any, the kernel chooses. */
  readonly mac: string | null;
  readonly learning: boolean;
  readonly gbp: boolean;
  readonly isUp: boolean;
}

export interface AddressEntry {
  readonly kind: 'address';
  readonly device: string;
  /** With prefix length: `10.244.1.0/32`. */
  readonly address: string;
}

export interface NeighbourEntry {
  readonly kind: 'neighbour';
  readonly device: string;
  readonly ip: string;
  /** `null`: an entry the kernel could not resolve (INCOMPLETE, FAILED). */
  readonly mac: string | null;
  readonly isPermanent: boolean;
}

export interface FdbEntry {
  readonly kind: 'fdb';
  readonly device: string;
  readonly mac: string;
  readonly dst: string;
  readonly isPermanent: boolean;
}

export interface RouteEntry {
  readonly kind: 'route';
  /** CIDR notation. */
  readonly dst: string;
  /** Gateway; `null`: none. */
  readonly via: string | null;
  /** Output device; `null` in a desired route: whatever the kernel finds (DirectRouting). */
  readonly device: string | null;
  readonly isOnlink: boolean;
  readonly metric: number;
  /** `blackhole`, `unreachable`, `local` …; absence: unicast. */
  readonly type?: string;
  /** As `ip` prints it: `kernel`, `boot`, `static`, `80`; absent in a desired route, which is made as `boot`. */
  readonly protocol?: string;
  /** Preferred source address; absence: none. */
  readonly src?: string;
}

/** What the kernel should hold, with whom each entry serves. */
export interface DesiredEntry<E extends Entry = Entry> {
  readonly entry: E;
  /** `node` for what every flannel node has, else the peer: its subnet in CIDR notation. */
  readonly subject: 'node' | { readonly subnet: string; readonly publicIp: string };
}

export interface DesiredOverlay {
  readonly entries: readonly DesiredEntry[];
  /** Devices of ours; only entries on these (or DirectRouting routes via a peer) are ever removed. */
  readonly devices: readonly string[];
  /** Networks that the overlay spans, CIDR notation; nothing outside is ever touched. */
  readonly networks: readonly string[];
  readonly peers: readonly OverlayPeer[];
  /** Leases that cannot be programmed, and why: wrong backend, no VTEP MAC, own subnet held by another. */
  readonly ignored: readonly { readonly key: string; readonly reason: string }[];
  /** Direct routes that whoever applies this has made, also of peers that have left since; absence: nobody remembers. */
  readonly directRoutes?: readonly RouteEntry[];
}

/** A remote node of the overlay. */
export interface OverlayPeer {
  /** CIDR notation of the family that is programmed, IPv4 first. */
  readonly subnet: string;
  readonly ipv6Subnet: string | null;
  readonly publicIp: string;
  readonly vtepMac: string | null;
  readonly vni: number | null;
  /** Address that answers an echo through the overlay: the network address of the subnet. */
  readonly overlayIp: string;
  readonly isDirect: boolean;
}

/** What the kernel holds, read in one go. Routes: all of the main table, so that foreign ones are seen. */
export interface ActualOverlay {
  readonly links: readonly LinkEntry[];
  /** Links that have a flannel name and are not vxlan: name → kind. */
  readonly strangers: Readonly<Record<string, string>>;
  readonly addresses: readonly AddressEntry[];
  readonly neighbours: readonly NeighbourEntry[];
  readonly fdb: readonly FdbEntry[];
  readonly routes: readonly RouteEntry[];
}

/** One difference between desired and actual. */
export interface Operation {
  /** `keep` is in order; `foreign` is somebody else's entry in the place of ours: told, never overwritten. */
  readonly verb: 'add' | 'replace' | 'delete' | 'keep' | 'foreign';
  readonly entry: Entry;
  /**
   * What is there now, for `replace` and `foreign`. An `add` with it: the entry is there and in order, but goes with its link,
   * which this plan makes anew; an `add` without it is missing.
   */
  readonly before?: Entry;
  readonly subject: DesiredEntry['subject'];
  /** A link that cannot be changed in place is deleted and made anew; then all entries on it are added. */
  readonly recreate?: boolean;
}

export interface OverlayPlan {
  readonly operations: readonly Operation[];
}
