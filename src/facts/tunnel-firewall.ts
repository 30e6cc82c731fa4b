import type { OverlayPeer } from '../dataplane/entry.ts';
import { UnavailableError } from '../errors.ts';
import { blockersOf, INCOMING, type Judgement, judge, OUTGOING, type Way } from '../firewall/evaluate.ts';
import { type Packet, UDP, VXLAN_PORT } from '../firewall/packet.ts';
import { type BlockerReport, reportBlocker } from '../firewall/remedy.ts';
import type { Ruleset } from '../firewall/ruleset.ts';
import { type Family, familyOf } from '../net/cidr.ts';
import { vxlanConfigFact } from './datastore.ts';
import { type CollectContext, defineFact } from './fact.ts';
import { firewallFact } from './firewall.ts';
import { interfacesFact } from './interfaces.ts';
import { actualOverlayFact, desiredOverlayFact, underlayFact } from './overlay.ts';
import { overlayEchoFact } from './probes.ts';

/** What this host's rules do to the packets of the tunnel. */
export interface TunnelFirewall {
  readonly port: number;
  /** Underlay interface. */
  readonly device: string;
  readonly blocks: readonly TunnelBlock[];
}

/** One rule or policy that surely drops them. */
export interface TunnelBlock {
  readonly direction: 'in' | 'out';
  readonly blocker: BlockerReport;
  /** Subnets of the peers it cuts off; `null`: all. */
  readonly subnets: readonly string[] | null;
}

/**
 * The rules judged for the tunnel of every peer. `unknown` (`unsupported`) when nothing surely drops its packets and a rule may that
 * cannot be decided, unless the peers in question answer over the overlay.
 */
export const tunnelFirewallFact = defineFact<TunnelFirewall>({
  name: 'tunnel-firewall',
  cost: 'passive',
  timeoutMs: 20_000,
  absence: { normal: 'another backend than vxlan' },
  collect: async (context) => {
    const tunnel = await readTunnel(context);
    const cases = DIRECTIONS.flatMap((direction) =>
      tunnel.families.flatMap((family) => casesOf(tunnel, family, direction)),
    );
    const blocks = merged(
      cases.flatMap((one) => blocksOf(one, tunnel)),
      tunnel.peers.length,
    );
    if (blocks.length === 0) await requireDecided(cases, context, tunnel.port);
    return { port: tunnel.port, device: tunnel.device, blocks };
  },
});

const DIRECTIONS = ['in', 'out'] as const;

interface Tunnel {
  readonly ruleset: Ruleset;
  readonly port: number;
  readonly device: string;
  readonly isBridged: boolean;
  readonly own: Readonly<Record<Family, string | null>>;
  readonly families: readonly Family[];
  readonly peers: readonly OverlayPeer[];
}

async function readTunnel(context: CollectContext): Promise<Tunnel> {
  const [ruleset, underlay, interfaces, peers, port] = await Promise.all([
    context.get(firewallFact),
    context.get(underlayFact),
    context.get(interfacesFact),
    tunnelPeers(context),
    tunnelPort(context),
  ]);
  const isBridged = interfaces.some(({ name, kind }) => name === underlay.device && kind === 'bridge');
  const own = { 4: underlay.ipv4, 6: underlay.ipv6 };
  const used = peers.map(({ publicIp }) => familyOf(publicIp) ?? 4);
  const families = [...new Set<Family>(used.length > 0 ? used : [underlay.ipv4 === null ? 6 : 4])];
  return { ruleset, port, device: underlay.device, isBridged, own, families, peers };
}

/** None when the leases cannot be read: rules that stop everybody are found without them. */
async function tunnelPeers(context: CollectContext): Promise<readonly OverlayPeer[]> {
  const desired = await context.observe(desiredOverlayFact);
  if (desired.status === 'absent') return (await context.get(desiredOverlayFact)).peers;
  return desired.status === 'known' ? desired.value.peers.filter(({ isDirect }) => !isDirect) : [];
}

async function tunnelPort(context: CollectContext): Promise<number> {
  const config = await context.observe(vxlanConfigFact);
  if (config.status === 'absent') await context.get(vxlanConfigFact);
  if (config.status === 'known') return config.value.port ?? VXLAN_PORT;
  const { links } = await context.get(actualOverlayFact);
  return links[0]?.port ?? VXLAN_PORT;
}

/** One judgement, about one peer or about all. */
interface Case {
  readonly direction: 'in' | 'out';
  readonly way: Way;
  readonly judgement: Judgement;
  readonly peer: OverlayPeer | null;
}

/** First for a peer of unknown address: what is certain then is certain for all of them. */
function casesOf(tunnel: Tunnel, family: Family, direction: 'in' | 'out'): readonly Case[] {
  const peers = tunnel.peers.filter(({ publicIp }) => familyOf(publicIp) === family);
  const general = caseOf(tunnel, { family, direction, peer: null });
  if (general.judgement.verdict !== 'undecided' || peers.length === 0) return [general];
  return peers.map((peer) => caseOf(tunnel, { family, direction, peer }));
}

interface Subject {
  readonly family: Family;
  readonly direction: 'in' | 'out';
  readonly peer: OverlayPeer | null;
}

function caseOf(tunnel: Tunnel, { family, direction, peer }: Subject): Case {
  const [own, other] = [tunnel.own[family], peer?.publicIp ?? null];
  const { port, device, isBridged, ruleset } = tunnel;
  const base = { family, protocol: UDP, sport: null, dport: port, isBridged };
  const packet: Packet =
    direction === 'in'
      ? { ...base, saddr: other, daddr: own, iif: device, oif: '' }
      : { ...base, saddr: own, daddr: other, iif: '', oif: device };
  const way = { ruleset, packet, hooks: direction === 'in' ? INCOMING : OUTGOING };
  return { direction, way, peer, judgement: judge(way) };
}

function blocksOf({ direction, way, peer }: Case, { port, device }: Tunnel): readonly TunnelBlock[] {
  return blockersOf(way).map((blocker) => ({
    direction,
    blocker: reportBlocker(blocker, { direction, device, port }),
    subnets: peer === null ? null : [peer.subnet],
  }));
}

/** One block a rule and direction; one that stops every single peer stops all. */
function merged(blocks: readonly TunnelBlock[], peers: number): readonly TunnelBlock[] {
  const groups = Map.groupBy(blocks, ({ direction, blocker }) => `${direction} ${blocker.label}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const subnets = group.some((block) => block.subnets === null)
      ? null
      : group.flatMap((block) => block.subnets ?? []);
    return [{ ...first, subnets: subnets?.length === peers ? null : subnets }];
  });
}

async function requireDecided(cases: readonly Case[], context: CollectContext, port: number): Promise<void> {
  const open = cases.flatMap(({ judgement, peer }) =>
    judgement.verdict === 'undecided' ? [{ because: judgement.because, peer }] : [],
  );
  if (open.length === 0) return;
  const answers = await context.observe(overlayEchoFact);
  const answered = answers.status === 'known' ? answers.value : {};
  const allAnswered = Object.values(answered).length > 0 && Object.values(answered).every((answer) => answer.answered);
  const left = open.find(
    ({ peer }) => !(peer === null ? allAnswered : (answered[peer.subnet]?.answered ?? allAnswered)),
  );
  if (left === undefined) return;
  const { rule, what } = left.because;
  throw new UnavailableError('unsupported', `${rule.label} may stop udp/${port}: its "${what}" cannot be decided`);
}
