import { isIPv4, isIPv6 } from 'node:net';
import { Address4, Address6 } from 'ip-address';

export type Family = 4 | 6;

/** A network and, where one was written, the host part: `10.244.1.7/24` has address `10.244.1.7`, network `10.244.1.0`. */
export interface Cidr {
  readonly family: Family;
  /** Canonical text of the address as written. */
  readonly address: string;
  /** Canonical text of the network address. */
  readonly network: string;
  readonly prefixLength: number;
}

/** 4, 6, or `undefined` for what is no address. Leading zeros, shorthands and zone ids are refused. */
export function familyOf(ip: string): Family | undefined {
  if (isIPv4(ip)) return 4;
  return isIPv6(ip) && !ip.includes('%') ? 6 : undefined;
}

/** Canonical text (RFC 5952 for IPv6), or `undefined` for what is no address. */
export function canonicalIp(text: string): string | undefined {
  const family = familyOf(text);
  // IPv4 has one spelling of an address.
  return family === 6 ? formatIp(family, ipToNumber(text, family)) : family && text;
}

/** `undefined` for what is no `ADDRESS/LENGTH`. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  return match === null ? undefined : cidrOf(match[1] ?? '', Number(match[2]));
}

/** The same in two parts. */
export function cidrOf(ip: string, prefixLength: number): Cidr | undefined {
  const family = familyOf(ip);
  if (family === undefined || prefixLength > bitsOf(family)) return undefined;
  if (family === 4) return ipv4Cidr(ip, prefixLength);
  return makeCidr(family, ipToNumber(ip, family), prefixLength);
}

/** With numbers, which take a tenth of the time of bigints: tens of thousands of leases are read at once. */
function ipv4Cidr(address: string, prefixLength: number): Cidr {
  const value = ipv4ToNumber(address);
  const start = value - (value % 2 ** (32 - prefixLength));
  return { family: 4, address, network: start === value ? address : formatIpv4(start), prefixLength };
}

/** The network in CIDR notation, host part cleared. */
export function formatNetwork(cidr: Cidr): string {
  return `${cidr.network}/${cidr.prefixLength}`;
}

/** Canonical network text of `ADDRESS/LENGTH`, or `undefined`. */
export function canonicalNetwork(text: string): string | undefined {
  const cidr = parseCidr(text);
  return cidr === undefined ? undefined : formatNetwork(cidr);
}

export function containsIp(network: Cidr, ip: string): boolean {
  const family = familyOf(ip);
  return family === network.family && contains(network, makeCidr(family, ipToNumber(ip, family), bitsOf(family)));
}

/** Whether `inner` lies wholly in `outer` (equal counts). */
export function contains(outer: Cidr, inner: Cidr): boolean {
  return (
    outer.family === inner.family &&
    outer.prefixLength <= inner.prefixLength &&
    networkNumber(inner, outer.prefixLength) === numberOf(outer)
  );
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return contains(a, b) || contains(b, a);
}

/** The address `offset` after the network address: 1 is flannel's FLANNEL_SUBNET and the gateway on cni0. */
export function nthAddress(network: Cidr, offset: number | bigint): string {
  return formatIp(network.family, numberOf(network) + BigInt(offset));
}

/** Numeric value of the network address. */
export function numberOf(network: Cidr): bigint {
  return networkNumber(network, network.prefixLength);
}

/** The network of `prefixLength` that starts at `value` (host bits cleared). */
export function makeCidr(family: Family, value: bigint, prefixLength: number): Cidr {
  const start = clearHostBits(value, family, prefixLength);
  const address = formatIp(family, value);
  return { family, address, network: start === value ? address : formatIp(family, start), prefixLength };
}

export function ipToNumber(ip: string, family: Family): bigint {
  return family === 4 ? BigInt(ipv4ToNumber(ip)) : new Address6(ip).bigInt();
}

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** @throws as {@link Address4} for what is no address. */
export function ipv4ToNumber(ip: string): number {
  const [, a, b, c, d] = IPV4.exec(ip) ?? [];
  if (d === undefined) return Number(new Address4(ip).bigInt());
  return Number(a) * 0x1_00_00_00 + Number(b) * 0x1_00_00 + Number(c) * 0x1_00 + Number(d);
}

export function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

function networkNumber(cidr: Cidr, prefixLength: number): bigint {
  return clearHostBits(ipToNumber(cidr.address, cidr.family), cidr.family, prefixLength);
}

function clearHostBits(value: bigint, family: Family, prefixLength: number): bigint {
  const hostBits = BigInt(bitsOf(family) - prefixLength);
  return (value >> hostBits) << hostBits;
}

function formatIp(family: Family, value: bigint): string {
  if (family === 6) return Address6.fromBigInt(value).correctForm();
  return value > 0xff_ff_ff_ffn ? Address4.fromBigInt(value).correctForm() : formatIpv4(Number(value));
}

function formatIpv4(bits: number): string {
  return `${(bits >>> 24) & 0xff}.${(bits >>> 16) & 0xff}.${(bits >>> 8) & 0xff}.${bits & 0xff}`;
}
