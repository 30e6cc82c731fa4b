import { cidrOf, formatNetwork, parseCidr } from '../net/cidr.ts';

/** Networks in CIDR notation; `null`: the key has none of that family. */
export interface SubnetPair {
  readonly subnet: string | null;
  readonly ipv6Subnet: string | null;
}

/** flannel pkg/subnet/subnet.go: not anchored at the start, its dots match anything, IPv6 in lower case only. */
const SUBNET_KEY = /(\d+\.\d+.\d+.\d+)-(\d+)(?:&([a-f\d:]+)-(\d+))?$/;

/**
 * What flannel's own parser makes of a key below `<prefix>/subnets/`, host bits cleared; `undefined`: it refuses the key.
 * The IPv4 length has to fit 5 bits and the IPv6 length 7, so that a /32 or a /128 is refused (flannel ParseSubnetKey).
 */
export function parseSubnetKey(key: string): SubnetPair | undefined {
  const match = SUBNET_KEY.exec(key);
  if (match === null) return undefined;
  const [, ip4 = '', length4 = '', ip6, length6 = ''] = match;
  const subnet = networkOf(ip4, length4, 4);
  if (subnet === undefined) return undefined;
  if (ip6 === undefined) return { subnet, ipv6Subnet: null };
  const ipv6Subnet = networkOf(ip6, length6, 6);
  if (ipv6Subnet === undefined) return undefined;
  return { subnet: subnet === '0.0.0.0/0' ? null : subnet, ipv6Subnet };
}

/** The key flannel writes for these networks; an IPv6-only lease carries the zero network in its IPv4 part. */
export function formatSubnetKey(pair: SubnetPair): string {
  const ip4 = (pair.subnet ?? '0.0.0.0/0').replace('/', '-');
  return pair.ipv6Subnet === null ? ip4 : `${ip4}&${pair.ipv6Subnet.replace('/', '-')}`;
}

/** The same networks in canonical spelling; `undefined` when one is no network of its family. */
export function canonicalPair(pair: SubnetPair): SubnetPair | undefined {
  const subnet = pair.subnet === null ? null : parseCidr(pair.subnet);
  const ipv6Subnet = pair.ipv6Subnet === null ? null : parseCidr(pair.ipv6Subnet);
  if (subnet === undefined || ipv6Subnet === undefined) return undefined;
  if (subnet?.family === 6 || ipv6Subnet?.family === 4) return undefined;
  return {
    subnet: subnet === null ? null : formatNetwork(subnet),
    ipv6Subnet: ipv6Subnet === null ? null : formatNetwork(ipv6Subnet),
  };
}

function networkOf(ip: string, length: string, family: 4 | 6): string | undefined {
  const prefixLength = Number(length);
  const longest = family === 4 ? 31 : 127;
  const cidr = prefixLength > longest ? undefined : cidrOf(ip, prefixLength);
  return cidr?.family === family ? formatNetwork(cidr) : undefined;
}
