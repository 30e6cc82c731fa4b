import pLimit from 'p-limit';
import type { OverlayPeer } from '../dataplane/entry.ts';
import { routeLookup } from '../dataplane/routing.ts';
import type { UdpOutcome } from '../host/host.ts';
import { type Family, familyOf } from '../net/cidr.ts';
import { type Answer, probeAnswer } from '../probe/answer.ts';
import type { EchoOutcome } from '../probe/echo.ts';
import { rewritesMarked } from '../probe/masquerade.ts';
import { notSent, oneWayEcho, oneWayRequest } from '../probe/one-way.ts';
import { probeTunnelPort } from '../probe/udp.ts';
import { vxlanConfigFact } from './datastore.ts';
import { type CollectContext, defineFact } from './fact.ts';
import { actualOverlayFact, desiredOverlayFact, type Underlay, underlayFact } from './overlay.ts';
import { type Sysctls, sysctlsFact } from './sysctls.ts';

/** By subnet of the peer. Peers beyond `--peers` are not in it. */
export type ByPeer<T> = Readonly<Record<string, T>>;

export type UnderlayAnswer = Answer;

/** Processes at a time: a round of silent peers takes 1.4 s, so that 500 of them take 11 s. */
const AT_ONCE = 64;
const ABSENCE = { normal: 'another backend than vxlan' };
/** The kernel's own port for vxlan, where the configuration names none. */
const KERNEL_PORT = 8472;

/** ICMP echo, then TCP, to every peer's public IP. */
export const underlayEchoFact = defineFact<ByPeer<UnderlayAnswer>>({
  name: 'underlay-echo',
  cost: 'active',
  timeoutMs: 15_000,
  absence: ABSENCE,
  collect: async (context) => askAll(await probedPeers(context), context, ({ publicIp }) => publicIp),
});

/** ICMP echo to every peer's overlay address through flannel.N, source chosen by the kernel; a TCP refusal counts as an answer. */
export const overlayEchoFact = defineFact<ByPeer<UnderlayAnswer>>({
  name: 'overlay-echo',
  cost: 'active',
  timeoutMs: 15_000,
  absence: ABSENCE,
  collect: async (context) => {
    const strays = await strayRoutes(context);
    const [astray, peers] = partition(await probedPeers(context), ({ overlayIp }) => strays(overlayIp) !== undefined);
    const answers = await askAll(peers, context, ({ overlayIp }) => overlayIp);
    const unsent = astray.map(({ subnet, overlayIp }) => [
      subnet,
      notAnswered(`its route leads to ${strays(overlayIp)}`),
    ]);
    return { ...answers, ...Object.fromEntries(unsent) };
  },
});

/**
 * Which device the route to an overlay address leads to when that is not the tunnel. An echo sent there would leave in the clear, and a
 * peer on the same link would answer it: an answer that says nothing of the overlay.
 */
async function strayRoutes(context: CollectContext): Promise<(overlayIp: string) => string | undefined> {
  const [{ peers, devices }, { routes }] = await Promise.all([
    context.get(desiredOverlayFact),
    context.get(actualOverlayFact),
  ]);
  const lookup = routeLookup(routes);
  const direct = new Set(peers.filter(({ isDirect }) => isDirect).map(({ overlayIp }) => overlayIp));
  return (overlayIp) => {
    const device = lookup(overlayIp)?.device ?? undefined;
    const isDefault = lookup(overlayIp)?.dst.endsWith('/0') === true;
    return device === undefined || isDefault || devices.includes(device) || direct.has(overlayIp) ? undefined : device;
  };
}

function notAnswered(why: string): UnderlayAnswer {
  return { echo: notSent(why), tcp: null, answered: false };
}

function partition<T>(items: readonly T[], holds: (item: T) => boolean): readonly [T[], T[]] {
  return [items.filter(holds), items.filter((item) => !holds(item))];
}

/**
 * For peers that answer on the underlay and are silent over the overlay: the same echo with our underlay address as inner source, so that
 * the answer comes back outside. A `localError` says why silence would prove nothing: strict rp_filter, masquerading. Peers that
 * are reached without the tunnel (DirectRouting) are not in it.
 */
export const oneWayEchoFact = defineFact<ByPeer<EchoOutcome>>({
  name: 'one-way-echo',
  cost: 'active',
  timeoutMs: 28_000,
  absence: ABSENCE,
  collect: async (context) => {
    const peers = (await cutOffPeers(context)).filter(({ isDirect }) => !isDirect);
    if (peers.length === 0) return {};
    const [underlay, sysctls] = await Promise.all([context.get(underlayFact), context.get(sysctlsFact)]);
    const rewritten = await familiesRewritten(context, peers);
    return eachPeer(peers, pLimit(AT_ONCE), async ({ overlayIp }) => {
      const obstacle = obstacleTo(overlayIp, { underlay, sysctls, rewritten });
      if (obstacle !== undefined) return notSent(obstacle);
      return oneWayEcho(context.host, oneWayRequest(overlayIp, sourceFor(overlayIp, underlay) ?? ''));
    });
  },
});

/**
 * For peers that answer on the underlay and are silent over the overlay: one datagram to the tunnel port of the public IP. `refused` proves
 * that no vxlan socket is open there.
 */
export const udpProbeFact = defineFact<ByPeer<UdpOutcome>>({
  name: 'udp-probe',
  cost: 'active',
  timeoutMs: 28_000,
  absence: ABSENCE,
  collect: async (context) => {
    const peers = await cutOffPeers(context);
    const port = (await context.get(vxlanConfigFact)).port ?? KERNEL_PORT;
    return eachPeer(peers, pLimit(AT_ONCE), ({ publicIp }) => probeTunnelPort(context.host, publicIp, port));
  },
});

/** All peers, or as many as `--peers` says, evenly spread over the list: the same ones in every fact and every run. */
export async function probedPeers(context: CollectContext): Promise<readonly OverlayPeer[]> {
  const { peers } = await context.get(desiredOverlayFact);
  const { peerLimit } = context.given;
  if (peerLimit === null || peerLimit >= peers.length) return peers;
  return peers.filter((_, index) => isPicked(index, peerLimit, peers.length));
}

/** Whether one of `count` evenly spaced marks over `length` places falls on this one. */
function isPicked(index: number, count: number, length: number): boolean {
  return Math.floor(((index + 1) * count) / length) > Math.floor((index * count) / length);
}

async function cutOffPeers(context: CollectContext): Promise<readonly OverlayPeer[]> {
  const [peers, underlay, overlay] = await Promise.all([
    probedPeers(context),
    context.get(underlayEchoFact),
    context.get(overlayEchoFact),
  ]);
  return peers.filter(({ subnet }) => underlay[subnet]?.answered === true && overlay[subnet]?.answered === false);
}

function askAll(
  peers: readonly OverlayPeer[],
  { host }: CollectContext,
  addressOf: (peer: OverlayPeer) => string,
): Promise<ByPeer<Answer>> {
  const limit = pLimit(AT_ONCE);
  return eachPeer(peers, pLimit(peers.length || 1), (peer) => probeAnswer(host, addressOf(peer), limit));
}

type PLimit = ReturnType<typeof pLimit>;

async function eachPeer<T>(
  peers: readonly OverlayPeer[],
  limit: PLimit,
  ask: (peer: OverlayPeer) => Promise<T>,
): Promise<ByPeer<T>> {
  const answers = await limit.map(peers, async (peer) => [peer.subnet, await ask(peer)] as const);
  return Object.fromEntries(answers);
}

interface OneWayScene {
  readonly underlay: Underlay;
  readonly sysctls: Sysctls;
  /** Families in which no packet of ours keeps its source. */
  readonly rewritten: readonly Family[];
}

/** Why the answer to a one-way echo could not come back here, or would come back through the tunnel. */
function obstacleTo(overlayIp: string, { underlay, sysctls, rewritten }: OneWayScene): string | undefined {
  const family = familyOf(overlayIp) ?? 4;
  if (sourceFor(overlayIp, underlay) === null) return `${underlay.device} has no IPv${family} address`;
  if (family === 4 && reversePathFilter(sysctls, underlay.device) === 1) {
    return `rp_filter is strict on ${underlay.device} and would drop the answer`;
  }
  if (rewritten.includes(family)) return 'masquerade rules of kube-proxy give the packet another source address';
  return undefined;
}

/** The kernel takes the larger of `all` and the device's own (ip-sysctl, rp_filter). */
function reversePathFilter(sysctls: Sysctls, device: string): number {
  const settingOf = (name: string) => Number(sysctls[`net.ipv4.conf.${name}.rp_filter`] ?? 0);
  return Math.max(settingOf('all'), settingOf(device));
}

function sourceFor(overlayIp: string, underlay: Underlay): string | null {
  return familyOf(overlayIp) === 6 ? underlay.ipv6 : underlay.ipv4;
}

async function familiesRewritten({ host }: CollectContext, peers: readonly OverlayPeer[]): Promise<readonly Family[]> {
  const families = [...new Set(peers.map(({ overlayIp }) => familyOf(overlayIp) ?? 4))];
  const found = await Promise.all(
    families.map(async (family) => ((await rewritesMarked(host, family)) ? [family] : [])),
  );
  return found.flat();
}
