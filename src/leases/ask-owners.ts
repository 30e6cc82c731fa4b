import pLimit from 'p-limit';
import { FlannelctlError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { type Family, parseCidr } from '../net/cidr.ts';
import { type Answer, type Limit, probeAnswer } from '../probe/answer.ts';
import { type VxlanEchoOutcome, type VxlanEnd, type VxlanTarget, vxlanEcho } from '../probe/vxlan-echo.ts';
import type { Lease } from '../store/store.ts';
import type { Sentence } from './sentence.ts';
import type { Asked, AskedResult, Way } from './silence-verdict.ts';

export interface AskInput {
  readonly host: Host;
  readonly vxlan: VxlanWay;
  /** When it aborts nobody else is asked: whoever is left is unknown. */
  readonly signal: AbortSignal;
}

/** How owners can be asked over vxlan from this host. */
export type VxlanWay =
  | {
      readonly kind: 'kernel';
      /** Why an echo to that lease would not go through flannel.N; `undefined`: it would. */
      readonly obstacleTo: (lease: Lease, family: Family) => Sentence | undefined;
    }
  /** No vxlan device is here, but a lease of this host is: its end of the tunnel is played by this process. IPv4. */
  | UserSpaceWay
  | { readonly kind: 'none'; readonly because: Sentence };

export interface UserSpaceWay {
  readonly kind: 'user-space';
  readonly source: VxlanEnd;
  /** UDP port of the tunnel. */
  readonly port: number;
  readonly identifier: number;
}

/** Processes at a time: a round of silent owners takes 1.4 s. */
const AT_ONCE = 128;

/** Asks the owner of every lease each way that its lease names, all at once. The answers are in the order of the leases. */
export async function askOwners(
  { host, vxlan, signal }: AskInput,
  leases: readonly Lease[],
): Promise<readonly (readonly Asked[])[]> {
  const asking = { host, signal, limit: pLimit(AT_ONCE) };
  const [underlay, overlay] = await Promise.all([
    Promise.all(leases.map((lease) => askUnderlay(asking, lease))),
    vxlan.kind === 'user-space' ? askFromUserSpace(asking, vxlan, leases) : askThroughKernel(asking, vxlan, leases),
  ]);
  return leases.map((_, at) => [...(underlay[at] ?? []), ...(overlay[at] ?? [])]);
}

/** The end of the tunnel that a lease publishes in one family. */
export interface OverlayEnd extends VxlanTarget {
  readonly family: Family;
}

export function overlayEnds({ subnet, ipv6Subnet, attributes }: Lease): readonly OverlayEnd[] {
  const { publicIp, publicIpv6, vtep, vtepV6 } = attributes;
  return [
    { family: 4, network: parseCidr(subnet ?? ''), publicIp, vtep } as const,
    { family: 6, network: parseCidr(ipv6Subnet ?? ''), publicIp: publicIpv6, vtep: vtepV6 } as const,
  ].flatMap(({ family, network, publicIp: outer, vtep: end }) =>
    network === undefined || outer === null || end === null
      ? []
      : [{ family, overlayIp: network.network, publicIp: outer, mac: end.mac, vni: end.vni }],
  );
}

interface Asking {
  readonly host: Host;
  readonly signal: AbortSignal;
  readonly limit: Limit;
}

function askUnderlay(asking: Asking, { attributes: { publicIp, publicIpv6 } }: Lease): Promise<readonly Asked[]> {
  return Promise.all([
    ...(publicIp === null ? [] : [askAddress(asking, 'underlay-4', publicIp)]),
    ...(publicIpv6 === null ? [] : [askAddress(asking, 'underlay-6', publicIpv6)]),
  ]);
}

function askThroughKernel(
  asking: Asking,
  vxlan: Exclude<VxlanWay, UserSpaceWay>,
  leases: readonly Lease[],
): Promise<readonly (readonly Asked[])[]> {
  const askEnd = async (lease: Lease, { family, overlayIp }: OverlayEnd): Promise<Asked> => {
    const way = `vxlan-${family}` as const;
    const because = vxlan.kind === 'none' ? vxlan.because : vxlan.obstacleTo(lease, family);
    return because === undefined
      ? askAddress(asking, way, overlayIp)
      : { way, address: overlayIp, ...unknown(because) };
  };
  return Promise.all(leases.map((lease) => Promise.all(overlayEnds(lease).map((end) => askEnd(lease, end)))));
}

async function askFromUserSpace(
  { host, signal }: Asking,
  { source, port, identifier }: UserSpaceWay,
  leases: readonly Lease[],
): Promise<readonly (readonly Asked[])[]> {
  const ends = leases.map(overlayEnds);
  const targets = ends.flat().filter(({ family }) => family === 4);
  const outcomes = await orUnknown(signal, () => vxlanEcho(host, { source, targets, port, identifier }));
  const results = new Map(
    targets.map((target, at) => [target, 'result' in outcomes ? outcomes : resultOfEcho(outcomes[at])]),
  );
  return ends.map((list) =>
    list.map((end) => ({
      way: `vxlan-${end.family}` as const,
      address: end.overlayIp,
      ...(results.get(end) ?? unknown(NO_IPV6)),
    })),
  );
}

async function askAddress({ host, signal, limit }: Asking, way: Way, address: string): Promise<Asked> {
  const result = await orUnknown(signal, async () =>
    resultOf(await probeAnswer(host, address, (task) => limit(() => unlessOver(signal, task)))),
  );
  return { way, address, ...result };
}

/** What cannot be asked is unknown; a bug stays a bug. */
async function orUnknown<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T | Unknown> {
  if (signal.aborted) return unknown(TIME_IS_OVER);
  try {
    return await ask();
  } catch (error) {
    if (error instanceof FlannelctlError) return unknown({ en: error.message, zh: error.message });
    if (signal.aborted) return unknown(TIME_IS_OVER);
    throw error;
  }
}

/** Whoever waits for a place when the time is over is not asked any more. */
async function unlessOver<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  return task();
}

/** "Host unreachable" is what a dead neighbour's silence is told as; every other refusal comes from something in between. */
function resultOf({ answered, echo }: Answer): AskedResult {
  if (answered) return { result: 'answered' };
  if (echo.localError !== null) return unknown(notSent(echo.localError));
  if (echo.refusal === undefined || /^Destination Host Unreachable/i.test(echo.refusal.text))
    return { result: 'silent' };
  const { from, text } = echo.refusal;
  return unknown({ en: `${from} says "${text}"`, zh: `${from} 答复“${text}”` });
}

function resultOfEcho(outcome: VxlanEchoOutcome | undefined): AskedResult {
  if (outcome === undefined) return unknown(TIME_IS_OVER);
  return outcome.status === 'not-sent' ? unknown(notSent(outcome.reason)) : { result: outcome.status };
}

type Unknown = Extract<AskedResult, { result: 'unknown' }>;

function unknown(because: Sentence): Unknown {
  return { result: 'unknown', because };
}

function notSent(reason: string): Sentence {
  return { en: `this host could not send to it: ${reason}`, zh: `本机无法向其发送：${reason}` };
}

const TIME_IS_OVER: Sentence = {
  en: 'the time was over before it was asked; give it more with --timeout',
  zh: '在探测之前时间已到；请用 --timeout 延长',
};
const NO_IPV6: Sentence = {
  en: 'without flannel-v6.N on this host nobody can be asked over vxlan in IPv6',
  zh: '本机没有 flannel-v6.N，无法经 vxlan 探测 IPv6',
};
