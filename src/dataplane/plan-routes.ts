import { type Cidr, contains, parseCidr } from '../net/cidr.ts';
import type { ActualOverlay, DesiredEntry, DesiredOverlay, Operation, RouteEntry } from './entry.ts';
import { entryKey } from './key.ts';
import { isUnicast } from './routing.ts';

export interface RoutePlanInput {
  readonly desired: DesiredOverlay;
  /** Entries that can be placed at all. */
  readonly wanted: readonly DesiredEntry[];
  readonly actual: ActualOverlay;
  readonly removals: boolean;
}

interface Ownership {
  readonly devices: ReadonlySet<string>;
  /** Devices of another VNI, which this overlay had before: a route through one is replaced, as flannel does, and never just deleted. */
  readonly earlier: ReadonlySet<string>;
  /** Gateways of the peers that are routed directly. */
  readonly gateways: ReadonlySet<string>;
  /** Where each peer is on the underlay, both families, by its subnet. */
  readonly endpoints: ReadonlyMap<string, ReadonlySet<string>>;
  /** Gateways by which a destination was routed directly before. */
  readonly past: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Routes by destination. A route is ours when it leads through our device, or through a peer's public IP where peers are routed
 * directly; every other route to a peer's subnet that the kernel would prefer is `foreign` and stays as it is.
 */
export function planRoutes(input: RoutePlanInput): readonly Operation[] {
  const ownership = ownershipOf(input);
  const byDestination = Map.groupBy(input.actual.routes, ({ dst }) => dst);
  const operations = input.wanted.flatMap(({ entry, subject }) =>
    entry.kind === 'route' ? planRoute({ entry, subject }, byDestination.get(entry.dst) ?? [], ownership) : [],
  );
  return input.removals ? [...operations, ...staleRoutes(input, ownership)] : operations;
}

function ownershipOf({ desired, actual }: RoutePlanInput): Ownership {
  const { devices, entries, directRoutes = [] } = desired;
  const earlier = new Set(actual.links.map(({ device }) => device));
  const gateways = new Set<string>();
  const endpoints = new Map<string, Set<string>>();
  for (const { entry, subject } of entries) {
    if (subject === 'node') continue;
    const own = endpoints.get(subject.subnet) ?? new Set([subject.publicIp]);
    endpoints.set(subject.subnet, own);
    if (entry.kind === 'fdb') own.add(entry.dst);
    if (entry.kind !== 'route' || entry.device !== null || entry.via === null) continue;
    own.add(entry.via);
    gateways.add(entry.via);
  }
  const past = new Map<string, Set<string>>();
  for (const { dst, via } of directRoutes) if (via !== null) past.set(dst, (past.get(dst) ?? new Set()).add(via));
  return { devices: new Set(devices), earlier, gateways, endpoints, past };
}

function planRoute(
  { entry, subject }: DesiredEntry<RouteEntry>,
  there: readonly RouteEntry[],
  ownership: Ownership,
): readonly Operation[] {
  if (entry.type === 'blackhole') return planBlackhole({ entry, subject }, there);
  const endpoints = subject === 'node' ? undefined : ownership.endpoints.get(subject.subnet);
  const { devices, earlier, past } = ownership;
  const isOwn = (route: RouteEntry) =>
    isOnDevice(route, devices) ||
    isOnDevice(route, earlier) ||
    isDirectVia(route, endpoints) ||
    isDirectVia(route, past.get(route.dst));
  const foreign = there.filter((route) => !isOwn(route) && route.metric <= entry.metric);
  const told = foreign.map((before): Operation => ({ verb: 'foreign', entry, before, subject }));
  if (there.some((route) => isOwn(route) && isRouteInOrder(entry, route)))
    return [{ verb: 'keep', entry, subject }, ...told];
  if (told.length > 0) return told;
  const before = there.find((route) => isOwn(route) && route.metric === entry.metric);
  return [before === undefined ? { verb: 'add', entry, subject } : { verb: 'replace', entry, before, subject }];
}

/**
 * Only where nothing of the same metric leads to the subnet: the kernel puts the route of a bridge that comes later behind it (IPv4), and
 * no pod is reached any more.
 */
function planBlackhole(
  { entry, subject }: DesiredEntry<RouteEntry>,
  there: readonly RouteEntry[],
): readonly Operation[] {
  const own = there.find((route) => isBlackhole(route) && route.metric === entry.metric);
  if (there.some((route) => isUnicast(route) && route.metric === entry.metric))
    return own === undefined ? [] : [{ verb: 'delete', entry, subject }];
  return [{ verb: own === undefined ? 'add' : 'keep', entry, subject }];
}

/** As we and flannel make it; that of a routing daemon has its own protocol. */
function isBlackhole({ type, protocol }: RouteEntry): boolean {
  return type === 'blackhole' && (protocol === undefined || protocol === 'boot');
}

function isOnDevice(route: RouteEntry, devices: ReadonlySet<string>): boolean {
  return isUnicast(route) && route.protocol !== 'kernel' && route.device !== null && devices.has(route.device);
}

/** As flannel makes it; a routing daemon's route of another protocol is that daemon's. */
function isDirectVia(route: RouteEntry, gateways: ReadonlySet<string> | undefined): boolean {
  const isBoot = route.protocol === undefined || route.protocol === 'boot';
  return isUnicast(route) && isBoot && route.via !== null && gateways?.has(route.via) === true;
}

function isRouteInOrder(wanted: RouteEntry, there: RouteEntry): boolean {
  return (
    isUnicast(there) &&
    there.metric === wanted.metric &&
    there.via === wanted.via &&
    (wanted.device === null || (there.device === wanted.device && there.isOnlink === wanted.isOnlink))
  );
}

/** Routes of ours into the network that lead to nobody. */
function staleRoutes({ desired, actual }: RoutePlanInput, ownership: Ownership): readonly Operation[] {
  const wanted = new Set(desired.entries.map(({ entry }) => entryKey(entry)));
  const networks = desired.networks.map(parseCidr).filter((network) => network !== undefined);
  return actual.routes
    .filter(
      (route) =>
        isOnDevice(route, ownership.devices) ||
        isDirectVia(route, ownership.gateways) ||
        isDirectVia(route, ownership.past.get(route.dst)),
    )
    .filter((route) => !wanted.has(entryKey(route)) && isInside(networks, route))
    .map((entry) => ({ verb: 'delete', entry, subject: 'node' }));
}

function isInside(networks: readonly Cidr[], { dst }: RouteEntry): boolean {
  const cidr = parseCidr(dst);
  return cidr !== undefined && networks.some((network) => contains(network, cidr));
}
