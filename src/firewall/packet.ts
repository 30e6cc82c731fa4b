import type { Family } from '../net/cidr.ts';

/** One packet as a rule sees it. `null`: not known, so that a rule that asks for it cannot be decided. */
export interface Packet {
  readonly family: Family;
  /** IP protocol number: 6 tcp, 17 udp. */
  readonly protocol: number;
  readonly saddr: string | null;
  readonly daddr: string | null;
  readonly sport: number | null;
  readonly dport: number | null;
  /** Device it arrives on; `''`: made on this host. */
  readonly iif: string;
  /** Device it leaves by; `''`: for this host. */
  readonly oif: string;
  /** It passes a bridge device of this host on its way, so chains of the bridge family see it too. */
  readonly isBridged: boolean;
}

export const TCP = 6;
export const UDP = 17;
export const VXLAN_PORT = 8472;
