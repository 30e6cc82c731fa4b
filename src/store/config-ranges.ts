import {
  bitsOf,
  type Cidr,
  containsIp,
  type Family,
  ipToNumber,
  makeCidr,
  nthAddress,
  numberOf,
  parseCidr,
} from '../net/cidr.ts';
import type { NetworkConfig } from './config.ts';

export interface CheckedNetworkConfig {
  /** With SubnetLen, SubnetMin and SubnetMax filled in for the families that have no problem. */
  readonly config: NetworkConfig;
  /** Why flannel would refuse it, one line each; empty: it would not. */
  readonly problems: readonly string[];
}

/**
 * The range rules that flannel applies when the datastore is etcd (pkg/subnet/config.go:CheckNetworkConfig).
 * With the Kubernetes API none of them holds: there the podCIDR rules.
 */
export function checkNetworkConfig(config: NetworkConfig): CheckedNetworkConfig {
  const ipv4 = config.enableIPv4 ? checkFamily(rangeOf4(config), RULES[4]) : { problems: [] };
  const ipv6 = config.enableIPv6 ? checkFamily(rangeOf6(config), RULES[6]) : { problems: [] };
  const problems = [...ipv4.problems, ...ipv6.problems];
  if (!config.enableIPv4 && !config.enableIPv6) problems.push('EnableIPv4 and EnableIPv6 are both off');
  return {
    config: {
      ...config,
      ...(ipv4.range && { subnetLen: ipv4.range.length, subnetMin: ipv4.range.min, subnetMax: ipv4.range.max }),
      ...(ipv6.range && {
        ipv6SubnetLen: ipv6.range.length,
        ipv6SubnetMin: ipv6.range.min,
        ipv6SubnetMax: ipv6.range.max,
      }),
    },
    problems,
  };
}

interface GivenRange {
  readonly network: string | null;
  readonly length: number | null;
  readonly min: string | null;
  readonly max: string | null;
}

interface Range {
  readonly length: number;
  readonly min: string;
  readonly max: string;
}

interface FamilyRules {
  readonly family: Family;
  readonly prefix: string;
  readonly longestNetwork: number;
  readonly longestSubnet: number;
  /** Length of a subnet where the network leaves room for four of them. */
  readonly usualSubnet: number;
}

const RULES: Readonly<Record<Family, FamilyRules>> = {
  4: { family: 4, prefix: '', longestNetwork: 28, longestSubnet: 30, usualSubnet: 24 },
  6: { family: 6, prefix: 'IPv6', longestNetwork: 124, longestSubnet: 126, usualSubnet: 64 },
};

function rangeOf4(config: NetworkConfig): GivenRange {
  return { network: config.network, length: config.subnetLen, min: config.subnetMin, max: config.subnetMax };
}

function rangeOf6(config: NetworkConfig): GivenRange {
  const { ipv6Network: network, ipv6SubnetLen: length, ipv6SubnetMin: min, ipv6SubnetMax: max } = config;
  return { network, length, min, max };
}

function checkFamily(given: GivenRange, rules: FamilyRules): { range?: Range; problems: readonly string[] } {
  const network = given.network === null ? undefined : parseCidr(given.network);
  const isEmpty = network === undefined || (network.prefixLength === 0 && numberOf(network) === 0n);
  if (isEmpty) return { problems: [`${rules.prefix}Network is missing`] };
  const lengthProblem = problemOfLength(given, network, rules);
  if (lengthProblem !== undefined) return { problems: [lengthProblem] };
  const length = given.length ?? Math.max(rules.usualSubnet, network.prefixLength + 2);
  const range = {
    length,
    min: given.min ?? subnetAt(network, length, 1n),
    max: given.max ?? lastSubnet(network, length),
  };
  const problems = [
    ...problemsOfBound([`${rules.prefix}SubnetMin`, range.min], network, length),
    ...problemsOfBound([`${rules.prefix}SubnetMax`, range.max], network, length),
  ];
  return problems.length === 0 ? { range, problems } : { problems };
}

function problemOfLength(given: GivenRange, network: Cidr, rules: FamilyRules): string | undefined {
  const { prefix, longestNetwork, longestSubnet } = rules;
  if (given.length === null) {
    const isTooSmall = network.prefixLength > longestNetwork;
    return isTooSmall ? `${prefix}Network is a /${network.prefixLength}, not /${longestNetwork} or larger` : undefined;
  }
  if (given.length > longestSubnet) return `${prefix}SubnetLen is ${given.length}, not ${longestSubnet} or less`;
  const least = network.prefixLength + 2;
  return given.length < least
    ? `${prefix}SubnetLen is ${given.length}, not ${least} or more: the network has to hold four subnets`
    : undefined;
}

function problemsOfBound([name, ip]: readonly [string, string], network: Cidr, length: number): readonly string[] {
  if (!containsIp(network, ip))
    return [`${name} ${ip} is not in the network ${network.network}/${network.prefixLength}`];
  const value = ipToNumber(ip, network.family);
  const isAligned = numberOf(makeCidr(network.family, value, length)) === value;
  return isAligned ? [] : [`${name} ${ip} is not the start of a /${length}`];
}

function subnetAt(network: Cidr, length: number, index: bigint): string {
  return nthAddress(network, index << BigInt(bitsOf(network.family) - length));
}

function lastSubnet(network: Cidr, length: number): string {
  return subnetAt(network, length, (1n << BigInt(length - network.prefixLength)) - 1n);
}
