import type { Entry, OverlayPlan, RouteEntry } from '../dataplane/entry.ts';

/** What /readyz says of routes that somebody else has put where a peer's belongs; `undefined`: there are none. */
export function foreignProblem({ operations }: OverlayPlan): string | undefined {
  const found = operations.filter(({ verb, entry }) => verb === 'foreign' && entry.kind === 'route');
  const [first] = found;
  if (first?.entry.kind !== 'route') return undefined;
  const more = found.length === 1 ? '' : `, and ${found.length - 1} more`;
  return `somebody else's route is in the way of peer ${first.entry.dst}: ${holderOf(first.before) ?? ''}${more}`;
}

/** What is there, in the words of `ip route`; `undefined`: nothing that can be said in a line. */
export function holderOf(entry: Entry | undefined): string | undefined {
  return entry?.kind === 'route' ? routeText(entry) : undefined;
}

function routeText({ type, dst, via, device, protocol, metric }: RouteEntry): string {
  const words = [
    [type, dst],
    via === null ? [] : ['via', via],
    device === null ? [] : ['dev', device],
    protocol === undefined ? [] : ['proto', protocol],
    metric === 0 ? [] : ['metric', String(metric)],
  ];
  return words
    .flat()
    .filter((word) => word !== undefined)
    .join(' ');
}
