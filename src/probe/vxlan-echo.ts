import { UnavailableError } from '../errors.ts';
import type { Host, UdpExchanged } from '../host/host.ts';
import { type EchoFrame, encodeEcho, parseEchoReply } from './vxlan-frame.ts';

/** Both ends of the tunnel as leases publish them. IPv4. */
export interface VxlanEnd {
  /** Address of flannel.N: the network address of the lease's subnet. */
  readonly overlayIp: string;
  readonly mac: string;
}

export interface VxlanTarget extends VxlanEnd {
  readonly publicIp: string;
  readonly vni: number;
}

export interface VxlanEchoRequest {
  /**
   * Who asks: an end that the targets have programmed as a peer's, whose public IP is on this host. To anybody else they have no way
   * back through the tunnel.
   */
  readonly source: VxlanEnd;
  readonly targets: readonly VxlanTarget[];
  /** The tunnel's port, at both ends: an answer goes to this port, whatever port was sent from. */
  readonly port: number;
  /** 0 to 65535; tells our requests from those of another run. */
  readonly identifier: number;
}

export type VxlanEchoOutcome =
  | { readonly status: 'answered' }
  | { readonly status: 'silent' }
  /** The kernel here would not send: says nothing of the target. */
  | { readonly status: 'not-sent'; readonly reason: string };

/** Three in 0.4 s and a second for the last answer, as the probes through the kernel. */
export const VXLAN_TRIES = { tries: 3, intervalMs: 200, timeoutMs: 1000 } as const;

/**
 * ICMP echo inside VXLAN, made and read here instead of by a vxlan device: for hosts that have none. All targets at once; the outcomes are
 * in the order of the targets. While it lasts no vxlan device can be opened on the port.
 *
 * @throws {UnavailableError} `unsupported` when the port is taken, which a vxlan device of this host does.
 */
export async function vxlanEcho(host: Host, request: VxlanEchoRequest): Promise<readonly VxlanEchoOutcome[]> {
  const { source, targets, port } = request;
  if (targets.length > MAX_TARGETS)
    throw new UnavailableError('unsupported', `more than ${MAX_TARGETS} targets at once`);
  const frames = targets.map((target, sequence) => frameTo(target, sequence, request));
  const datagrams = frames.map((frame, at) => ({
    address: targets[at]?.publicIp ?? '',
    port,
    payloadHex: encodeEcho(frame),
  }));
  const exchanged = await host.exchange({ localPort: port, datagrams, ...VXLAN_TRIES });
  const answered = answeredOf(exchanged, { source, frames });
  return targets.map(({ publicIp }, sequence) => {
    const reason = exchanged.refused[publicIp];
    if (answered.has(sequence)) return { status: 'answered' };
    return reason === undefined ? { status: 'silent' } : { status: 'not-sent', reason };
  });
}

/** The sequence number of an echo has 16 bits. */
const MAX_TARGETS = 65_536;

function frameTo(target: VxlanTarget, sequence: number, { source, identifier }: VxlanEchoRequest): EchoFrame {
  return { vni: target.vni, source, target, identifier, sequence };
}

/** Whoever the outer packet comes from (the answer may take another address of the peer), the inner one has to be the target's answer. */
function answeredOf(
  { received }: UdpExchanged,
  { source, frames }: { readonly source: VxlanEnd; readonly frames: readonly EchoFrame[] },
): ReadonlySet<number> {
  const replies = received.flatMap(({ payloadHex }) => parseEchoReply(payloadHex) ?? []);
  const ours = replies.filter((reply) => {
    const asked = frames[reply.sequence];
    return (
      asked !== undefined &&
      reply.identifier === asked.identifier &&
      reply.vni === asked.vni &&
      reply.from === asked.target.overlayIp &&
      reply.to === source.overlayIp
    );
  });
  return new Set(ours.map(({ sequence }) => sequence));
}
