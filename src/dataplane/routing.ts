import { bitsOf, type Family, familyOf, ipToNumber, parseCidr } from '../net/cidr.ts';
import type { RouteEntry } from './entry.ts';

/** Finds the route to an address; `undefined`: none matches. */
export type RouteLookup = (ip: string) => RouteEntry | undefined;

interface Level {
  readonly hostBits: bigint;
  readonly byNetwork: Map<bigint, RouteEntry>;
}

/** Longest prefix first, then lowest metric: how the kernel looks into one table. Policy rules and other tables are not asked. */
export function routeLookup(routes: readonly RouteEntry[]): RouteLookup {
  const levels = { 4: levelsOf(routes, 4), 6: levelsOf(routes, 6) };
  return (ip) => {
    const family = familyOf(ip);
    return family === undefined ? undefined : findRoute(levels[family], ipToNumber(ip, family));
  };
}

/**
 * Whether the peer is on a link of this host: its route has an interface and no gateway (flannel pkg/ip DirectRouting, which asks
 * `ip route get`; here one table answers for all peers).
 */
export function directTest(routes: readonly RouteEntry[]): (publicIp: string) => boolean {
  const lookup = routeLookup(routes);
  return (publicIp) => {
    const route = lookup(publicIp);
    return route !== undefined && route.via === null && route.device !== null && isUnicast(route);
  };
}

export function isUnicast(route: RouteEntry): boolean {
  return route.type === undefined || route.type === 'unicast';
}

function levelsOf(routes: readonly RouteEntry[], family: Family): readonly Level[] {
  const levels = new Map<number, Level>();
  for (const route of routes) {
    const cidr = parseCidr(route.dst);
    if (cidr?.family !== family) continue;
    const hostBits = BigInt(bitsOf(family) - cidr.prefixLength);
    const level = levels.get(cidr.prefixLength) ?? { hostBits, byNetwork: new Map() };
    levels.set(cidr.prefixLength, level);
    keepLowestMetric(level.byNetwork, ipToNumber(cidr.network, family) >> hostBits, route);
  }
  return [...levels].sort(([a], [b]) => b - a).map(([, level]) => level);
}

function keepLowestMetric(byNetwork: Map<bigint, RouteEntry>, network: bigint, route: RouteEntry): void {
  const known = byNetwork.get(network);
  if (known === undefined || route.metric < known.metric) byNetwork.set(network, route);
}

function findRoute(levels: readonly Level[], ip: bigint): RouteEntry | undefined {
  for (const level of levels) {
    const route = level.byNetwork.get(ip >> level.hostBits);
    if (route !== undefined) return route;
  }
  return undefined;
}
