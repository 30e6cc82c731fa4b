import pLimit from 'p-limit';
import * as v from 'valibot';
import type { OverlayPeer } from '../dataplane/entry.ts';
import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { canonicalIp } from '../net/cidr.ts';
import type { Answer } from '../probe/answer.ts';
import { type EchoRefusal, echo } from '../probe/echo.ts';
import { type CollectContext, defineFact } from './fact.ts';
import { type ByPeer, overlayEchoFact, probedPeers, underlayEchoFact } from './probes.ts';

/** Why a peer that is silent on the underlay and over the overlay counts as gone, not as one that filters probes. */
export interface GonePeer {
  /** `no-route`: this host has none to it; `refused`: a router says it is not there; `no-neighbour`: ARP or NDP gets no answer. */
  readonly proof: 'no-route' | 'refused' | 'no-neighbour';
  /** For a person: `192.168.1.9 on eth0: FAILED`. */
  readonly observed: string;
  /** A command the reader can repeat. */
  readonly source: string;
}

/**
 * Peers that answer nowhere and are proved gone. Silence alone is no proof, as a host may drop ICMP and TCP by policy: a silent peer that
 * is not proved gone is left out next to one that is, and makes the fact `unknown` (`unreachable`) otherwise.
 */
export const silentPeersFact = defineFact<ByPeer<GonePeer>>({
  name: 'silent-peers',
  cost: 'active',
  timeoutMs: 28_000,
  absence: { normal: 'another backend than vxlan' },
  collect: async (context) => {
    const silent = await silentPeers(context);
    const limit = pLimit(AT_ONCE);
    const judged = await limit.map(silent, async ({ peer, answer }) => ({
      peer,
      gone: await judge(context.host, peer.publicIp, answer),
    }));
    const gone = judged.flatMap(({ peer, gone }) => (gone === undefined ? [] : [[peer.subnet, gone] as const]));
    if (gone.length === 0 && silent.length > 0) throw undecided(silent.map(({ peer }) => peer));
    return Object.fromEntries(gone);
  },
});

const AT_ONCE = 32;
/**
 * The kernel trusts an entry it has confirmed for up to 45 s, then waits 5 s for a hint and asks three times in 3 s (neighbour(7), arp(7)).
 * So an entry that was already out of date has its answer in 8 s; one that was fresh stays undecided.
 */
const NEIGHBOUR_TRIES = 9;

interface Silent {
  readonly peer: OverlayPeer;
  readonly answer: Answer;
}

async function silentPeers(context: CollectContext): Promise<readonly Silent[]> {
  const [peers, underlay, overlay] = await Promise.all([
    probedPeers(context),
    context.get(underlayEchoFact),
    context.get(overlayEchoFact),
  ]);
  return peers.flatMap((peer) => {
    const answer = underlay[peer.subnet];
    const isSilent = answer?.answered === false && overlay[peer.subnet]?.answered === false;
    return isSilent ? [{ peer, answer }] : [];
  });
}

async function judge(host: Host, publicIp: string, { echo: outcome }: Answer): Promise<GonePeer | undefined> {
  const source = `ip route get ${publicIp}`;
  if (isNoRoute(outcome.localError)) return { proof: 'no-route', observed: outcome.localError ?? '', source };
  if (outcome.localError !== null) return undefined;
  if (outcome.refusal !== undefined && meansGone(outcome.refusal)) {
    const { from, text } = outcome.refusal;
    return { proof: 'refused', observed: `${from}: ${text}`, source: `ping -c 3 ${publicIp}` };
  }
  const hop = await nextHop(host, publicIp);
  return hop === undefined ? undefined : watchNeighbour(host, publicIp, hop);
}

function isNoRoute(localError: string | null): boolean {
  return localError === 'Network is unreachable' || localError === 'No route to host';
}

/** Not `Packet filtered` and its like, which only a packet filter says. */
function meansGone({ text }: EchoRefusal): boolean {
  return /^Destination (?:Host|Net) Unreachable$|^Destination unreachable: (?:Address unreachable|No route)$/.test(
    text,
  );
}

/** Whoever should answer ARP on the way to the peer: itself on a link of this host, else the gateway. */
interface NextHop {
  readonly ip: string;
  readonly device: string;
}

async function watchNeighbour(host: Host, publicIp: string, hop: NextHop): Promise<GonePeer | undefined> {
  for (let tries = 0; tries < NEIGHBOUR_TRIES; tries += 1) {
    const neighbour = await readNeighbour(host, hop);
    if (neighbour.state === 'FAILED' || neighbour.state === 'INCOMPLETE') {
      const observed = `${hop.ip} on ${hop.device}: ${neighbour.state}`;
      return { proof: 'no-neighbour', observed, source: neighbourCommand(hop).join(' ') };
    }
    if (isDecided(neighbour)) return undefined;
    // Only a packet makes the kernel ask; it takes the second that ping waits for its answer.
    const { received } = await echo(host, { address: publicIp, count: 1, intervalMs: 1000, timeoutMs: 1000 });
    if (received > 0) return undefined;
  }
  return undefined;
}

interface Neighbour {
  /** `''`: there is no entry. */
  readonly state: string;
  readonly confirmedSecondsAgo: number;
}

/** A silent peer was asked for two seconds before: it answered ARP meanwhile, or nobody ever asks it. */
function isDecided({ state, confirmedSecondsAgo }: Neighbour): boolean {
  if (state === 'REACHABLE') return confirmedSecondsAgo <= 2;
  return !['STALE', 'DELAY', 'PROBE'].includes(state);
}

const routeSchema = v.array(v.object({ dev: v.string(), gateway: v.optional(v.string()) }));
const neighbourSchema = v.array(v.object({ state: v.array(v.string()), confirmed: v.optional(v.number()) }));

async function nextHop(host: Host, publicIp: string): Promise<NextHop | undefined> {
  const { exitCode, stdout } = await host.exec(['ip', '-j', 'route', 'get', publicIp]);
  const [route] = exitCode === 0 ? parseJson(routeSchema, stdout, 'ip route get') : [];
  if (route === undefined) return undefined;
  const ip = canonicalIp(route.gateway ?? publicIp);
  return ip === undefined || !/^[\w.@:-]{1,15}$/.test(route.dev) ? undefined : { ip, device: route.dev };
}

async function readNeighbour(host: Host, hop: NextHop): Promise<Neighbour> {
  const [program, ...rest] = neighbourCommand(hop);
  const { stdout } = await host.exec([program, '-j', ...rest]);
  const [entry] = parseJson(neighbourSchema, stdout, 'ip neigh show');
  return { state: entry?.state[0] ?? '', confirmedSecondsAgo: entry?.confirmed ?? Number.POSITIVE_INFINITY };
}

function neighbourCommand({ ip, device }: NextHop): readonly [string, ...string[]] {
  return ['ip', '-s', 'neigh', 'show', 'to', ip, 'dev', device];
}

function parseJson<T>(schema: v.GenericSchema<unknown, T>, text: string, what: string): T {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text.trim() === '' ? '[]' : text);
  if (parsed.success) return parsed.output;
  throw new UnavailableError('malformed', `${what} printed what is no JSON of iproute2`);
}

function undecided(peers: readonly OverlayPeer[]): UnavailableError {
  const named = peers.slice(0, 3).map(({ subnet, publicIp }) => `${publicIp} (${subnet})`);
  const more = peers.length > named.length ? ` and ${peers.length - named.length} more` : '';
  return new UnavailableError(
    'unreachable',
    `${named.join(', ')}${more}: silent on ICMP, TCP and the overlay, which a packet filter does as well as a dead host`,
    { hint: 'Look at these hosts from another place.' },
  );
}
