import { canonicalIp, canonicalNetwork, contains, type Family, familyOf, overlaps, parseCidr } from '../net/cidr.ts';
import { canonicalMac } from '../net/mac.ts';
import type { Lease, LeaseRecord, Vtep } from '../store/store.ts';
import type { OverlayFamily } from './device.ts';

/** What one family of one peer needs in the kernel; every value has been validated. */
export interface PeerSide {
  readonly family: Family;
  readonly device: string;
  /** CIDR notation. */
  readonly subnet: string;
  /** Network address of the subnet, which the peer has on its own flannel.N. */
  readonly overlayIp: string;
  readonly publicIp: string;
  readonly mac: string;
  readonly vni: number;
}

export interface PeerInput {
  readonly families: readonly OverlayFamily[];
  /** Public addresses of this node. */
  readonly ownPublicIps: readonly string[];
  /** Subnets this node uses, CIDR notation. */
  readonly ownSubnets: readonly string[];
  /** Key of the lease of this node; `undefined`: it has none. */
  readonly ownKey: string | undefined;
  /** MACs of this node's VTEPs. */
  readonly ownMacs: readonly string[];
}

/** `own` is this node itself; `reasons` say what of the record cannot be programmed. */
export type PeerVerdict = 'own' | { readonly sides: readonly PeerSide[]; readonly reasons: readonly string[] };

type SideVerdict = { readonly side: PeerSide } | { readonly reason: string } | 'no-subnet';

const MAX_VNI = 0xff_ff_ff;

/** What can be programmed of a lease record. Everything in it was written by another machine and is believed only after it parsed. */
export function judgePeer(record: LeaseRecord, input: PeerInput): PeerVerdict {
  if (record.kind !== 'lease') return { sides: [], reasons: [record.reason] };
  const { publicIp, publicIpv6, backendType } = record.attributes;
  if (record.key === input.ownKey) return 'own';
  const shared = [publicIp, publicIpv6].find((ip) => ip !== null && input.ownPublicIps.includes(ip));
  if (shared !== undefined) {
    if (input.ownKey === undefined) return 'own';
    return { sides: [], reasons: [`publishes this node's own public IP ${shared}`] };
  }
  if (backendType !== 'vxlan') return { sides: [], reasons: [`backend is ${quote(backendType)}, not vxlan`] };
  return sidesOf(record, input);
}

function sidesOf(lease: Lease, input: PeerInput): PeerVerdict {
  const verdicts = input.families.map((family) => judgeSide(lease, family, input));
  const sides = verdicts.flatMap((verdict) => (verdict !== 'no-subnet' && 'side' in verdict ? [verdict.side] : []));
  const reasons = verdicts.flatMap((verdict) =>
    verdict !== 'no-subnet' && 'reason' in verdict ? [verdict.reason] : [],
  );
  if (sides.length > 0 || reasons.length > 0) return { sides, reasons };
  return { sides, reasons: ['has no subnet of a family that the network configuration turns on'] };
}

function judgeSide(lease: Lease, overlay: OverlayFamily, { ownSubnets, ownMacs }: PeerInput): SideVerdict {
  const { subnet, publicIp, vtep } = attributesOf(lease, overlay.family);
  if (subnet === null) return 'no-subnet';
  const subnetProblem = problemOfSubnet(subnet, overlay, ownSubnets);
  if (subnetProblem !== undefined) return { reason: `${subnetProblem} (published by ${quote(publicIp)})` };
  if (publicIp === null || !isEndpoint(publicIp, overlay.family))
    return { reason: `public IP ${quote(publicIp)} is no IPv${overlay.family} address of a host` };
  if (vtep === null) return { reason: 'publishes no VTEP MAC that parses' };
  const mac = canonicalMac(vtep.mac);
  if (mac !== vtep.mac) return { reason: `VTEP MAC ${quote(vtep.mac)} is no unicast MAC` };
  // the kernel takes frames with its own source address for its own, come back (vxlan_set_mac)
  if (ownMacs.includes(mac)) return { reason: `publishes this node's own VTEP MAC ${mac} (from ${publicIp})` };
  if (!Number.isInteger(vtep.vni) || vtep.vni < 0 || vtep.vni > MAX_VNI)
    return { reason: `VNI ${quote(vtep.vni)} is not from 0 to ${MAX_VNI}` };
  const { family, device } = overlay;
  const overlayIp = subnet.slice(0, subnet.indexOf('/'));
  return { side: { family, device, subnet, overlayIp, publicIp, mac, vni: vtep.vni } };
}

function attributesOf(lease: Lease, family: Family): SideAttributes {
  const { publicIp, publicIpv6, vtep, vtepV6 } = lease.attributes;
  return family === 4
    ? { subnet: lease.subnet, publicIp, vtep }
    : { subnet: lease.ipv6Subnet, publicIp: publicIpv6, vtep: vtepV6 };
}

interface SideAttributes {
  readonly subnet: string | null;
  readonly publicIp: string | null;
  readonly vtep: Vtep | null;
}

/** A subnet outside the network, or the default route, would take traffic that is none of the overlay's. */
function problemOfSubnet(subnet: string, overlay: OverlayFamily, ownSubnets: readonly string[]): string | undefined {
  const cidr = parseCidr(subnet);
  const network = parseCidr(overlay.network);
  if (cidr === undefined || canonicalNetwork(subnet) !== subnet) return `subnet ${quote(subnet)} is no network`;
  if (network === undefined || !contains(network, cidr)) return `subnet ${subnet} is outside ${overlay.network}`;
  const own = ownSubnets.find((candidate) => {
    const parsed = parseCidr(candidate);
    return parsed !== undefined && overlaps(parsed, cidr);
  });
  if (own === undefined) return undefined;
  return own === subnet
    ? `this node's own subnet ${own} is held by another`
    : `subnet ${subnet} overlaps this node's own ${own}`;
}

function isEndpoint(ip: string, family: Family): boolean {
  if (familyOf(ip) !== family || canonicalIp(ip) !== ip) return false;
  return family === 4 ? isIpv4Endpoint(ip) : ip !== '::' && ip !== '::1' && !ip.startsWith('ff');
}

/** Not 0/8, loopback, multicast, reserved or broadcast: no host answers there (RFC 6890). */
function isIpv4Endpoint(ip: string): boolean {
  const first = Number(ip.slice(0, ip.indexOf('.')));
  return first > 0 && first !== 127 && first < 224;
}

/** As JSON: quotes and escapes what a stranger wrote; short. */
function quote(value: unknown): string {
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 100) : value).replaceAll(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
