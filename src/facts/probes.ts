import type { ConnectOutcome, UdpOutcome } from '../host/host.ts';
import type { EchoOutcome } from '../probe/echo.ts';
import { defineFact } from './fact.ts';

/** By subnet of the peer. Peers beyond `--peers` are not in it. */
export type ByPeer<T> = Readonly<Record<string, T>>;

export interface UnderlayAnswer {
  readonly echo: EchoOutcome;
  /** A TCP handshake to a closed port, tried when no echo came back: a refusal is an answer. `null`: not tried. */
  readonly tcp: ConnectOutcome | null;
  readonly answered: boolean;
}

/** ICMP echo, then TCP, to every peer's public IP. */
export const underlayEchoFact = defineFact<ByPeer<UnderlayAnswer>>({
  name: 'underlay-echo',
  cost: 'active',
  timeoutMs: 12_000,
  collect: async () => {
    throw new Error('unwritten');
  },
});

/** ICMP echo to every peer's overlay address through flannel.N, source chosen by the kernel; a TCP refusal counts as an answer. */
export const overlayEchoFact = defineFact<ByPeer<UnderlayAnswer>>({
  name: 'overlay-echo',
  cost: 'active',
  timeoutMs: 12_000,
  collect: async () => {
    throw new Error('unwritten');
  },
});

/** For peers silent over the overlay: the same echo with our underlay address as inner source, so that the answer comes back outside. */
export const oneWayEchoFact = defineFact<ByPeer<EchoOutcome>>({
  name: 'one-way-echo',
  cost: 'active',
  timeoutMs: 20_000,
  collect: async () => {
    throw new Error('unwritten');
  },
});

/** For peers silent over the overlay: one datagram to the tunnel port of the public IP. `refused` proves that no vxlan socket is open there. */
export const udpProbeFact = defineFact<ByPeer<UdpOutcome>>({
  name: 'udp-probe',
  cost: 'active',
  timeoutMs: 20_000,
  collect: async () => {
    throw new Error('unwritten');
  },
});
