import type { UdpOutcome } from '../host/host.ts';
import type { EchoOutcome } from '../probe/echo.ts';
import type { Observed } from './fact.ts';
import type { ByPeer, UnderlayAnswer } from './probes.ts';

/**
 * Where the overlay to a peer is dead, as far as the probes tell. `local`: no packet leaves this node; `way-back`: packets get there, the
 * answers do not come back; `no-socket`: the peer has no vxlan socket open; `unknown`: somewhere.
 */
export type BrokenAt = 'local' | 'way-back' | 'no-socket' | 'unknown';

export interface SecondLook {
  readonly oneWay: Observed<ByPeer<EchoOutcome>>;
  readonly udp: Observed<ByPeer<UdpOutcome>>;
}

/** Of a peer that does not answer over the overlay. */
export function brokenAt(subnet: string, overlay: UnderlayAnswer, { oneWay, udp }: SecondLook): BrokenAt {
  if (overlay.echo.localError !== null) return 'local';
  if (oneWay.status === 'known' && (oneWay.value[subnet]?.received ?? 0) > 0) return 'way-back';
  return udp.status === 'known' && udp.value[subnet] === 'refused' ? 'no-socket' : 'unknown';
}

/** For a person: `0 of 3 echoes, TCP silent`. */
export function describeAnswer({ echo, tcp }: UnderlayAnswer): string {
  if (echo.localError !== null) return echo.localError;
  const refusal = echo.refusal === undefined ? '' : `, ${echo.refusal.from}: ${echo.refusal.text}`;
  return `${echo.received} of ${echo.sent} echoes${refusal}${tcp === null ? '' : `, TCP ${tcp}`}`;
}
