import type { Host } from '../host/host.ts';
import { ECHO_TRIES } from './answer.ts';
import { type EchoOutcome, type EchoRequest, echo } from './echo.ts';

/**
 * Mark that flannel's own masquerade rules leave alone (`-m mark --mark 0x4000/0x4000 -j RETURN`, nftables: exactly 0x4000). Without it
 * they give the packet the address of flannel.N as source, and the answer comes back through the tunnel after all.
 */
const UNMASQUERADED_MARK = 0x4000;

/** An echo into the overlay whose answer comes back outside it, because its source is our underlay address. */
export function oneWayRequest(overlayIp: string, underlayIp: string): EchoRequest {
  return { address: overlayIp, source: underlayIp, mark: UNMASQUERADED_MARK, ...ECHO_TRIES };
}

export function oneWayEcho(host: Host, request: EchoRequest): Promise<EchoOutcome> {
  return echo(host, request);
}

/** A one-way echo that was not sent, and why its silence would have said nothing. */
export function notSent(reason: string): EchoOutcome {
  return { sent: 0, received: 0, rttMs: null, localError: reason };
}
