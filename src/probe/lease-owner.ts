import { type Family, parseCidr } from '../net/cidr.ts';
import type { VxlanTarget } from './vxlan-echo.ts';

/** Whoever holds a lease, by what it publishes: a lease of the store is one. */
export interface LeaseOwner {
  /** Of its lease. */
  readonly key: string;
  /** CIDR notation. */
  readonly subnet: string | null;
  readonly ipv6Subnet: string | null;
  readonly attributes: {
    readonly publicIp: string | null;
    readonly publicIpv6: string | null;
    readonly vtep: Vtep | null;
    readonly vtepV6: Vtep | null;
  };
}

interface Vtep {
  readonly vni: number;
  readonly mac: string;
}

/** The end of the tunnel that a lease publishes in one family. */
export interface OverlayEnd extends VxlanTarget {
  readonly family: Family;
}

export function overlayEnds({ subnet, ipv6Subnet, attributes }: LeaseOwner): readonly OverlayEnd[] {
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
