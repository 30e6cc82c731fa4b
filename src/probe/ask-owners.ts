import pLimit from 'p-limit';
import { FlannelctlError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { Family } from '../net/cidr.ts';
import { type Answer, type Limit, probeAnswer } from './answer.ts';
import { type LeaseOwner, type OverlayEnd, overlayEnds } from './lease-owner.ts';
import type { Sentence } from './sentence.ts';
import type { Asked, AskedResult, Way } from './silence-verdict.ts';
import { type VxlanEchoOutcome, type VxlanEnd, vxlanEcho } from './vxlan-echo.ts';

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
      /** Why an echo to that owner would not go through flannel.N; `undefined`: it would. */
      readonly obstacleTo: (owner: LeaseOwner, family: Family) => Sentence | undefined;
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

/** Asks every owner each way that its lease names, all at once. The answers are in the order of the owners. */
export async function askOwners(
  { host, vxlan, signal }: AskInput,
  owners: readonly LeaseOwner[],
): Promise<readonly (readonly Asked[])[]> {
  const asking = { host, signal, limit: pLimit(AT_ONCE) };
  const [underlay, overlay] = await Promise.all([
    Promise.all(owners.map((owner) => askUnderlay(asking, owner))),
    vxlan.kind === 'user-space' ? askFromUserSpace(asking, vxlan, owners) : askThroughKernel(asking, vxlan, owners),
  ]);
  return owners.map((_, at) => [...(underlay[at] ?? []), ...(overlay[at] ?? [])]);
}

interface Asking {
  readonly host: Host;
  readonly signal: AbortSignal;
  readonly limit: Limit;
}

function askUnderlay(asking: Asking, { attributes: { publicIp, publicIpv6 } }: LeaseOwner): Promise<readonly Asked[]> {
  return Promise.all([
    ...(publicIp === null ? [] : [askAddress(asking, 'underlay-4', publicIp)]),
    ...(publicIpv6 === null ? [] : [askAddress(asking, 'underlay-6', publicIpv6)]),
  ]);
}

function askThroughKernel(
  asking: Asking,
  vxlan: Exclude<VxlanWay, UserSpaceWay>,
  owners: readonly LeaseOwner[],
): Promise<readonly (readonly Asked[])[]> {
  const askEnd = async (owner: LeaseOwner, { family, overlayIp }: OverlayEnd): Promise<Asked> => {
    const way = `vxlan-${family}` as const;
    const because = vxlan.kind === 'none' ? vxlan.because : vxlan.obstacleTo(owner, family);
    return because === undefined
      ? askAddress(asking, way, overlayIp)
      : { way, address: overlayIp, ...unknown(because) };
  };
  return Promise.all(owners.map((owner) => Promise.all(overlayEnds(owner).map((end) => askEnd(owner, end)))));
}

async function askFromUserSpace(
  { host, signal }: Asking,
  { source, port, identifier }: UserSpaceWay,
  owners: readonly LeaseOwner[],
): Promise<readonly (readonly Asked[])[]> {
  const ends = owners.map(overlayEnds);
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
