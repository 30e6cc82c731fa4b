import { defineFact } from './fact.ts';

/** A network interface of this host (`ip -j -d -s addr`). */
export interface InterfaceInfo {
  readonly index: number;
  readonly name: string;
  /** linkinfo.info_kind: `vxlan`, `bridge`, `veth`; `''`: a plain device. */
  readonly kind: string;
  readonly mtuBytes: number;
  /** `''`: the device has none. */
  readonly mac: string;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  /** Name of the bridge it is a port of; `null`: none. */
  readonly master: string | null;
  readonly addresses: readonly InterfaceAddress[];
  readonly vxlan: VxlanInfo | null;
  readonly counters: {
    readonly rxPackets: number;
    readonly txPackets: number;
    readonly rxDropped: number;
    readonly txDropped: number;
    readonly txErrors: number;
  } | null;
}

export interface InterfaceAddress {
  readonly family: 4 | 6;
  readonly ip: string;
  readonly prefixLength: number;
  readonly scope: string;
  readonly isDynamic: boolean;
  readonly isTemporary: boolean;
  readonly isDeprecated: boolean;
}

export interface VxlanInfo {
  readonly vni: number;
  readonly port: number;
  readonly local: string | null;
  readonly underlay: string | null;
  readonly learning: boolean;
  readonly gbp: boolean;
}

export const interfacesFact = defineFact<readonly InterfaceInfo[]>({
  name: 'interfaces',
  cost: 'passive',
  timeoutMs: 5000,
  collect: async () => {
    throw new Error('unwritten');
  },
});
