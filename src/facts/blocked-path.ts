import type { ActualOverlay, DesiredOverlay, OverlayPeer, OverlayPlan } from '../dataplane/entry.ts';
import type { UdpOutcome } from '../host/host.ts';
import { overlaps, parseCidr } from '../net/cidr.ts';
import type { EchoOutcome } from '../probe/echo.ts';
import type { Lease, LeaseListing } from '../store/store.ts';
import { leasesFact, ownLeaseFact } from './datastore.ts';
import { defineFact } from './fact.ts';
import { actualOverlayFact, desiredOverlayFact, overlayPlanFact } from './overlay.ts';
import {
  type ByPeer,
  oneWayEchoFact,
  overlayEchoFact,
  type UnderlayAnswer,
  udpProbeFact,
  underlayEchoFact,
} from './probes.ts';

/** A peer whose tunnel packets are lost although everything that this host can see of it is right. */
export interface BlockedPath {
  readonly subnet: string;
  readonly publicIp: string;
  /** What came of one datagram to its tunnel port. */
  readonly udp: UdpOutcome;
}

/**
 * Peers for which nothing but a drop on the way, or at their end, is left. Silence alone proves nothing: our lease, MAC and VNI, the peer's
 * entries here and its subnet must be right, it must answer on the underlay, and the echo whose answer needs no tunnel must be silent too.
 * Whether this host's own rules drop is not looked at here.
 */
export const blockedPathFact = defineFact<readonly BlockedPath[]>({
  name: 'blocked-path',
  cost: 'active',
  timeoutMs: 30_000,
  collect: async (context) => {
    const [desired, plan, actual, own, leases, underlay, overlay] = await Promise.all([
      context.get(desiredOverlayFact),
      context.get(overlayPlanFact),
      context.get(actualOverlayFact),
      context.get(ownLeaseFact),
      context.get(leasesFact),
      context.get(underlayEchoFact),
      context.get(overlayEchoFact),
    ]);
    const [oneWay, udp] = await Promise.all([context.get(oneWayEchoFact), context.get(udpProbeFact)]);
    return blockedPaths({ desired, plan, actual, own, leases, underlay, overlay, oneWay, udp });
  },
});

export interface PathFacts {
  readonly desired: DesiredOverlay;
  readonly plan: OverlayPlan;
  readonly actual: ActualOverlay;
  readonly own: Lease;
  readonly leases: LeaseListing;
  readonly underlay: ByPeer<UnderlayAnswer>;
  readonly overlay: ByPeer<UnderlayAnswer>;
  readonly oneWay: ByPeer<EchoOutcome>;
  readonly udp: ByPeer<UdpOutcome>;
}

export function blockedPaths(facts: PathFacts): readonly BlockedPath[] {
  if (!isNodeRight(facts)) return [];
  return facts.desired.peers.flatMap((peer) => {
    const udp = facts.udp[peer.subnet];
    if (udp === undefined || !isPeerRight(peer, facts) || !isSilent(peer, facts)) return [];
    return [{ subnet: peer.subnet, publicIp: peer.publicIp, udp }];
  });
}

/** flannel.N is as it should be, and carries the MAC and VNI that our lease publishes. */
function isNodeRight({ plan, actual, own }: PathFacts): boolean {
  const ofNode = plan.operations.filter(({ subject }) => subject === 'node');
  const { vtep, vtepV6 } = own.attributes;
  const published = [vtep, vtepV6].filter((one) => one !== null);
  const isPublished = published.every(({ mac, vni }) =>
    actual.links.some((link) => link.mac === mac && link.vni === vni),
  );
  return ofNode.every(({ verb }) => verb === 'keep') && published.length > 0 && isPublished;
}

function isPeerRight(peer: OverlayPeer, facts: PathFacts): boolean {
  const { plan, own } = facts;
  const operations = plan.operations.filter(({ subject }) => subject !== 'node' && subject.subnet === peer.subnet);
  const kinds = new Set(operations.map(({ entry }) => entry.kind));
  const isProgrammed = operations.every(({ verb }) => verb === 'keep') && KINDS.every((kind) => kinds.has(kind));
  const vni = own.attributes.vtep?.vni ?? own.attributes.vtepV6?.vni;
  return !peer.isDirect && isProgrammed && peer.vni === vni && isAlone(peer.subnet, facts) && isOwnAlone(facts);
}

const KINDS = ['neighbour', 'fdb', 'route'] as const;

/** A subnet that two leases claim answers from one of them, or from none. */
function isAlone(subnet: string, { leases }: PathFacts): boolean {
  const wanted = parseCidr(subnet);
  const claims = leases.records.filter((record) => {
    const networks = record.kind === 'malformed-key' ? [] : [record.subnet, record.ipv6Subnet];
    return networks.some((network) => {
      const cidr = network === null ? undefined : parseCidr(network);
      return wanted !== undefined && cidr !== undefined && overlaps(wanted, cidr);
    });
  });
  return claims.length === 1;
}

function isOwnAlone(facts: PathFacts): boolean {
  const { subnet, ipv6Subnet } = facts.own;
  return [subnet, ipv6Subnet].every((network) => network === null || isAlone(network, facts));
}

function isSilent({ subnet }: OverlayPeer, { underlay, overlay, oneWay, udp }: PathFacts): boolean {
  const [through, around, datagram] = [overlay[subnet], oneWay[subnet], udp[subnet]];
  return (
    underlay[subnet]?.answered === true &&
    through?.answered === false &&
    isLost(through.echo) &&
    around !== undefined &&
    isLost(around) &&
    (datagram === 'silent' || datagram === 'prohibited')
  );
}

/** The packets left this host, and none was answered. */
function isLost({ sent, received, localError }: EchoOutcome): boolean {
  return sent > 0 && received === 0 && localError === null;
}
