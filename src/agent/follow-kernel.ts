import { isFlannelDevice } from '../dataplane/device.ts';
import type { Argv } from '../host/host.ts';
import { type Cidr, overlaps, parseCidr } from '../net/cidr.ts';
import type { Board } from './board.ts';
import { keepFollowing } from './follow-program.ts';

/** Forwarding entries of a vxlan device are neighbours to the kernel, too: `neigh` shows them (iproute2 6.1, Linux 6.18). */
const MONITOR: Argv = ['ip', '-o', 'monitor', 'label', 'link', 'address', 'route', 'neigh'];

/** Wakes the agent when the kernel changes something it looks after; until `signal` aborts. */
export function followKernel(board: Board, signal: AbortSignal): Promise<void> {
  const networks = [board.config.network, board.config.ipv6Network].flatMap((text) => parseCidr(text ?? '') ?? []);
  const ring = () => board.look.ring('kernel');
  const onLine = (line: string) => {
    if (concernsUs(line, { underlay: board.underlay.device, networks })) ring();
  };
  return keepFollowing(board.parts, { argv: MONITOR, onStart: ring, onLine }, signal);
}

export interface Watched {
  readonly underlay: string;
  /** Networks that the overlay spans. */
  readonly networks: readonly Cidr[];
}

/** Whether a line of the monitor is about our devices or the underlay. The underlay's own neighbours come and go all the time. */
export function concernsUs(line: string, { underlay, networks }: Watched): boolean {
  const device = deviceOf(line);
  if (device !== undefined && isFlannelDevice(device)) return true;
  if (device !== undefined && device === underlay) return !line.startsWith('[NEIGH]');
  return isRouteToUs(line, networks);
}

/**
 * `ip route replace` tells only of the new route, whatever its device, and who takes it away again leaves the place of ours free. A default
 * route decides on the underlay.
 */
function isRouteToUs(line: string, networks: readonly Cidr[]): boolean {
  const destination = /^\[ROUTE\](?:Deleted )?(?:[a-z]+ )??(default|[\da-f.:]+(?:\/\d+)?) /.exec(line)?.[1];
  if (destination === undefined || destination === 'default') return destination !== undefined;
  const cidr = parseCidr(
    destination.includes('/') ? destination : `${destination}/${destination.includes(':') ? 128 : 32}`,
  );
  return cidr !== undefined && networks.some((network) => overlaps(network, cidr));
}

/** `[LINK]4: flannel.1@eth0: <…`, `[ADDR]Deleted 4: flannel.1    inet …`, `[ROUTE]10.0.0.0/24 via … dev flannel.1 …`. */
function deviceOf(line: string): string | undefined {
  const named = /^\[(?:LINK|ADDR)\](?:Deleted )?\d+: ([^\s:@]+)/.exec(line);
  return named?.[1] ?? / dev (\S+)/.exec(line)?.[1];
}
