import type { Host, UdpOutcome } from '../host/host.ts';

/**
 * One zero byte: shorter than a VXLAN header (RFC 7348 §5), so that no implementation takes it for a frame. Linux drops it without
 * counting it on any device.
 */
const SHORTER_THAN_A_HEADER = '00';
const TIMEOUT_MS = 1000;

/**
 * One datagram to a tunnel port. `refused` proves that no vxlan socket is open there, also where the vxlan device is only down;
 * `silent` proves nothing.
 */
export function probeTunnelPort(host: Host, address: string, port: number): Promise<UdpOutcome> {
  return host.udp({ address, port, timeoutMs: TIMEOUT_MS, payloadHex: SHORTER_THAN_A_HEADER });
}
