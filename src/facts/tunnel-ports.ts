import pLimit from 'p-limit';
import { DEFAULT_PORT } from '../dataplane/device.ts';
import type { Host } from '../host/host.ts';
import { probeTunnelPort } from '../probe/udp.ts';
import { vxlanConfigFact } from './datastore.ts';
import { defineFact } from './fact.ts';
import { type ByPeer, probedPeers, udpProbeFact } from './probes.ts';

/**
 * UDP port on which a peer that refuses the configured tunnel port has its vxlan socket. Peers of which that is not measured are not in it.
 */
export const foreignPortFact = defineFact<ByPeer<number>>({
  name: 'foreign-tunnel-port',
  cost: 'active',
  timeoutMs: 28_000,
  absence: { normal: 'another backend than vxlan' },
  collect: async (context) => {
    const [peers, outcomes, vxlan] = await Promise.all([
      probedPeers(context),
      context.get(udpProbeFact),
      context.get(vxlanConfigFact),
    ]);
    const refusing = peers.filter(({ subnet }) => outcomes[subnet] === 'refused');
    const own = vxlan.port ?? DEFAULT_PORT;
    const found = await pLimit(AT_ONCE).map(refusing, async ({ subnet, publicIp }) => {
      const port = await portOf(context.host, publicIp, own);
      return port === undefined ? [] : [[subnet, port] as const];
    });
    return Object.fromEntries(found.flat());
  },
});

const AT_ONCE = 32;
/** The kernel's and IANA's (RFC 7348 §8.1), which Windows and some distributions use. */
const WELL_KNOWN = [8472, 4789] as const;
/** Discard: where nothing listens. Silent, it shows that a filter drops what it does not know, and silence elsewhere says nothing. */
const NOBODYS_PORT = 9;

/**
 * Linux sends a host one such ICMP error a second after a few (icmp(7), icmp_ratelimit), and frames of the tunnel to a closed port use them
 * up too. A silent question lasts a second: so a closed port refuses one of three, and three silences are not the limit.
 */
const TRIES = 3;

/** A closed port refuses, an open one is silent, three times, while a closed one still refuses afterwards. */
async function portOf(host: Host, publicIp: string, own: number): Promise<number | undefined> {
  if (!(await refuses(host, publicIp, NOBODYS_PORT))) return undefined;
  for (const port of WELL_KNOWN.filter((candidate) => candidate !== own)) {
    const isOpen = (await staysSilent(host, publicIp, port)) && (await refuses(host, publicIp, own));
    if (isOpen) return port;
  }
  return undefined;
}

async function refuses(host: Host, publicIp: string, port: number): Promise<boolean> {
  for (let left = TRIES; left > 0; left -= 1) {
    if ((await probeTunnelPort(host, publicIp, port)) === 'refused') return true;
  }
  return false;
}

async function staysSilent(host: Host, publicIp: string, port: number): Promise<boolean> {
  for (let left = TRIES; left > 0; left -= 1) {
    if ((await probeTunnelPort(host, publicIp, port)) !== 'silent') return false;
  }
  return true;
}
