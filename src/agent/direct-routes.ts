import type { ActualOverlay, DesiredOverlay, RouteEntry } from '../dataplane/entry.ts';

/**
 * The routes by a peer's public IP that are this agent's: those that are wanted, and of those that were the ones that the kernel still
 * holds. By itself such a route does not tell whose it is once the peer has left or has another address.
 */
export function ownDirectRoutes(
  before: readonly RouteEntry[],
  { entries }: DesiredOverlay,
  { routes }: Pick<ActualOverlay, 'routes'>,
): readonly RouteEntry[] {
  const wanted = entries.flatMap(({ entry }) => (entry.kind === 'route' && entry.device === null ? entry : []));
  const known = new Set(wanted.map(nameOf));
  const past = before.filter((route) => !known.has(nameOf(route)));
  if (past.length === 0) return wanted;
  const held = new Set(routes.map(nameOf));
  return [...wanted, ...past.filter((route) => held.has(nameOf(route)))];
}

function nameOf({ dst, via }: RouteEntry): string {
  return `${dst} ${via}`;
}
