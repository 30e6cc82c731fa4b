import { canonicalNetwork, type Family } from '../net/cidr.ts';
import type { NetworkConfig } from '../store/config.ts';

/** The packet filter rules that flannel keeps beside the overlay, for both families, IPv4 first. */
export interface TrafficRules {
  /** `EnableNFTables` of the configuration decides. What the other one left behind is removed. */
  readonly mode: 'iptables' | 'nftables';
  readonly families: readonly FamilyTraffic[];
}

export interface FamilyTraffic {
  readonly family: Family;
  /** CIDR notation; `null`: the family is off, and nothing of flannel's belongs there. */
  readonly network: string | null;
  /** Rules of FLANNEL-POSTRTG (nftables: `postrtg`) in order, without the name of the chain; `null`: no such chain. */
  readonly masquerade: readonly string[] | null;
  /** Rules of FLANNEL-FWD (nftables: `forward`). */
  readonly forward: readonly string[] | null;
}

export interface TrafficInput {
  readonly config: NetworkConfig;
  /** CIDR notation of the own lease; `null` on an IPv6-only node. */
  readonly ownSubnet: string | null;
  readonly ipv6Subnet: string | null;
  /** `--ip-masq` */
  readonly ipMasq: boolean;
  /** `--iptables-forward-rules` */
  readonly forwardRules: boolean;
  /** Whether ports are chosen at random: wanted, and supported by the host. */
  readonly randomFully: boolean;
}

/** Nothing of flannel's, in neither mode: what is left after `down`. */
export const NO_TRAFFIC_RULES: TrafficRules = { mode: 'iptables', families: [familyOff(4), familyOff(6)] };

/**
 * The rules in flannel's own words and order (flannel pkg/trafficmngr/iptables and nftables), as `iptables-save` and `nft` print them.
 *
 * @throws {TypeError} when a network or subnet was not validated.
 */
export function desiredTrafficRules(input: TrafficInput): TrafficRules {
  const { config } = input;
  return {
    mode: config.enableNFTables ? 'nftables' : 'iptables',
    families: [
      familyRules(input, 4, { network: config.enableIPv4 ? config.network : null, subnet: input.ownSubnet }),
      familyRules(input, 6, { network: config.enableIPv6 ? config.ipv6Network : null, subnet: input.ipv6Subnet }),
    ],
  };
}

/** Never to be masqueraded. */
export const MULTICAST = { 4: '224.0.0.0/4', 6: 'ff00::/8' } as const;

/** What flannel writes beside each of its rules in iptables. */
export const COMMENT = { masquerade: 'flanneld masq', forward: 'flanneld forward' } as const;

interface Networks {
  readonly family: Family;
  readonly network: string;
  readonly subnet: string;
  readonly randomFully: boolean;
}

interface FamilyNetworks {
  readonly network: string | null;
  readonly subnet: string | null;
}

function familyRules(input: TrafficInput, family: Family, { network, subnet }: FamilyNetworks): FamilyTraffic {
  if (network === null || subnet === null) return familyOff(family);
  const networks = { family, network: valid(network), subnet: valid(subnet), randomFully: input.randomFully };
  const words = input.config.enableNFTables ? NFTABLES : IPTABLES;
  return {
    family,
    network: networks.network,
    masquerade: input.ipMasq ? words.masquerade(networks) : null,
    forward: input.forwardRules ? words.forward(networks) : null,
  };
}

function familyOff(family: Family): FamilyTraffic {
  return { family, network: null, masquerade: null, forward: null };
}

function valid(network: string): string {
  const canonical = canonicalNetwork(network);
  if (canonical === undefined) throw new TypeError(`not a valid network: ${JSON.stringify(network.slice(0, 100))}`);
  return canonical;
}

const IPTABLES = {
  masquerade: ({ family, network, subnet, randomFully }: Networks) => {
    const rule = (match: string, target: string) =>
      `${match} -m comment --comment "${COMMENT.masquerade}" -j ${target}`;
    const masquerade = randomFully ? 'MASQUERADE --random-fully' : 'MASQUERADE';
    return [
      rule('-m mark --mark 0x4000/0x4000', 'RETURN'),
      rule(`-s ${subnet} -d ${network}`, 'RETURN'),
      rule(`-s ${network} -d ${subnet}`, 'RETURN'),
      rule(`! -s ${network} -d ${subnet}`, 'RETURN'),
      rule(`-s ${network} ! -d ${MULTICAST[family]}`, masquerade),
      rule(`! -s ${network} -d ${network}`, masquerade),
    ];
  },
  forward: ({ network }: Networks) =>
    [`-s ${network}`, `-d ${network}`].map((match) => `${match} -m comment --comment "${COMMENT.forward}" -j ACCEPT`),
};

/** The first and the fourth rule differ from those of iptables in flannel too; whoever compares a node with its peers expects these. */
const NFTABLES = {
  masquerade: ({ family, network, subnet, randomFully }: Networks) => {
    const ip = family === 4 ? 'ip' : 'ip6';
    const masquerade = randomFully ? 'masquerade fully-random' : 'masquerade';
    return [
      'meta mark 0x4000 return',
      `${ip} saddr ${subnet} ${ip} daddr ${network} return`,
      `${ip} saddr ${network} ${ip} daddr ${subnet} return`,
      `${ip} saddr != ${subnet} ${ip} daddr ${network} return`,
      `${ip} saddr ${network} ${ip} daddr != ${MULTICAST[family]} ${masquerade}`,
      `${ip} saddr != ${network} ${ip} daddr ${network} ${masquerade}`,
    ];
  },
  forward: ({ family, network }: Networks) => {
    const ip = family === 4 ? 'ip' : 'ip6';
    return [`${ip} saddr ${network} accept`, `${ip} daddr ${network} accept`];
  },
};
