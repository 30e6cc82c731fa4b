import { isFlannelDevice } from '../dataplane/device.ts';
import { UnavailableError } from '../errors.ts';
import { blockersOf, FORWARDED, judge, type Way } from '../firewall/evaluate.ts';
import { openForward } from '../firewall/forward.ts';
import { type Packet, TCP } from '../firewall/packet.ts';
import { listCommand, policyLabel } from '../firewall/remedy.ts';
import type { Ruleset } from '../firewall/ruleset.ts';
import { bitsOf, type Cidr, familyOf, ipToNumber, makeCidr, nthAddress, parseCidr } from '../net/cidr.ts';
import { networkConfigFact } from './datastore.ts';
import { type CollectContext, defineFact } from './fact.ts';
import { firewallFact } from './firewall.ts';
import { type InterfaceInfo, interfacesFact } from './interfaces.ts';
import { subnetEnvFact } from './subnet-env.ts';

/** A FORWARD policy that drops what pods send each other. */
export interface ForwardPolicy {
  /** `policy of iptables -t filter FORWARD`. */
  readonly label: string;
  readonly network: string;
  /** Which way it is met: `cni0 → flannel.1`. */
  readonly ways: readonly string[];
  /** Whether flannel's own chain exists beside it. */
  readonly hasFlannelChain: boolean;
  readonly source: string;
  readonly commands: readonly string[];
}

/**
 * A new connection between a pod here and one on another node, judged at the forward hook in both directions; only policies that drop it are in
 * the list. `unknown` (`unsupported`) when a policy may drop it and that hangs on a rule which cannot be decided.
 */
export const podFirewallFact = defineFact<readonly ForwardPolicy[]>({
  name: 'pod-firewall',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'no network is configured' },
  collect: async (context) => {
    const [ruleset, networks, interfaces] = await Promise.all([
      context.get(firewallFact),
      networksOf(context),
      context.get(interfacesFact),
    ]);
    return forwardPolicies({ ruleset, networks, interfaces });
  },
});

/** Those of subnet.env where the datastore cannot be asked: pods were given their addresses by them. */
async function networksOf(context: CollectContext): Promise<readonly string[]> {
  const [observed, file] = await Promise.all([context.observe(networkConfigFact), context.observe(subnetEnvFact)]);
  if (observed.status !== 'known' && file.status === 'known' && file.value.networks !== null) {
    return [...file.value.networks, ...(file.value.ipv6Networks ?? [])];
  }
  const { config } = await context.get(networkConfigFact);
  const networks = [config.enableIPv4 ? config.network : null, config.enableIPv6 ? config.ipv6Network : null];
  return networks.filter((network) => network !== null);
}

export interface PodScene {
  readonly ruleset: Ruleset;
  /** CIDR notation. */
  readonly networks: readonly string[];
  readonly interfaces: readonly InterfaceInfo[];
}

/** @throws {UnavailableError} `unsupported` when a policy may drop pods and that cannot be decided. */
export function forwardPolicies(scene: PodScene): readonly ForwardPolicy[] {
  return waysOf(scene).flatMap(policiesOn).reduce(joinWays, []);
}

interface PodWay extends Way {
  readonly name: string;
  readonly network: string;
}

function waysOf({ ruleset, networks, interfaces }: PodScene): readonly PodWay[] {
  return networks.flatMap((network) => {
    const cidr = parseCidr(network);
    if (cidr === undefined) return [];
    const packets = packetsBetween(endsIn(cidr, interfaces));
    return packets.map(({ name, packet }) => ({ name, network, ruleset, packet, hooks: FORWARDED }));
  });
}

interface Ends {
  readonly bridge: string;
  readonly device: string;
  readonly local: string;
  readonly remote: string;
}

/** Addresses that no pod needs to have: one of this node's subnet, as far as flannel's device tells it, and one elsewhere in the network. */
function endsIn(network: Cidr, interfaces: readonly InterfaceInfo[]): Ends {
  const { family } = network;
  const tunnel = interfaces.find(
    ({ name }) => isFlannelDevice(name) && name.startsWith('flannel-v6.') === (family === 6),
  );
  const own = tunnel?.addresses.find((address) => address.family === family && address.scope !== 'link');
  const subnet = own === undefined ? network : makeCidr(family, ipToNumber(own.ip, family), bitsOf(family));
  const far = nthAddress(network, (1n << BigInt(bitsOf(family) - network.prefixLength)) - 2n);
  const device = tunnel?.name ?? (family === 4 ? 'flannel.1' : 'flannel-v6.1');
  return { bridge: 'cni0', device, local: nthAddress(subnet, 10), remote: far };
}

function packetsBetween({ bridge, device, local, remote }: Ends): readonly { name: string; packet: Packet }[] {
  const family = familyOf(local) ?? 4;
  // Ports of no well-known service: what is excepted for one service is no way for pods in general.
  const base = { family, protocol: TCP, sport: 41_234, dport: 41_235, isBridged: false };
  return [
    { name: `${bridge} → ${device}`, packet: { ...base, iif: bridge, oif: device, saddr: local, daddr: remote } },
    { name: `${device} → ${bridge}`, packet: { ...base, iif: device, oif: bridge, saddr: remote, daddr: local } },
  ];
}

function policiesOn(way: PodWay): readonly ForwardPolicy[] {
  const judgement = judge(way);
  if (judgement.verdict === 'undecided') {
    const open = judgement.drops.find(({ by }) => by.kind === 'policy');
    if (open !== undefined) throw undecided(way, judgement.because.rule.label, judgement.because.what);
  }
  return blockersOf(way).flatMap(({ kind, base }) =>
    kind === 'rule'
      ? []
      : [
          {
            label: policyLabel(base),
            network: way.network,
            ways: [way.name],
            source: listCommand(base),
            ...openForward(base, way),
          },
        ],
  );
}

function undecided(way: PodWay, rule: string, what: string): UnavailableError {
  return new UnavailableError(
    'unsupported',
    `${rule} may keep pods from a policy that drops ${way.name}: its "${what}" cannot be decided`,
  );
}

function joinWays(list: readonly ForwardPolicy[], policy: ForwardPolicy): readonly ForwardPolicy[] {
  const same = list.find(({ label, network }) => label === policy.label && network === policy.network);
  if (same === undefined) return [...list, policy];
  return list.map((one) => (one === same ? { ...one, ways: [...one.ways, ...policy.ways] } : one));
}
