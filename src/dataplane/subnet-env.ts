import { formatNetwork, nthAddress, parseCidr } from '../net/cidr.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { Lease } from '../store/store.ts';
import { vxlanOf } from './desired.ts';
import { linkMtu, overlayFamilies } from './device.ts';

export interface SubnetEnvInput {
  readonly config: NetworkConfig;
  readonly lease: Pick<Lease, 'subnet' | 'ipv6Subnet'>;
  readonly mtuBytes: number;
  readonly ipMasq: boolean;
}

/** Text of subnet.env: flannel's keys in flannel's order, no quotes (flannel pkg/subnet WriteSubnetFile). */
export function renderSubnetEnv({ config, lease, mtuBytes, ipMasq }: SubnetEnvInput): string {
  const lines = [
    ...(config.enableIPv4 ? networkLines('', config.network, lease.subnet) : []),
    ...(config.enableIPv6 ? networkLines('IPV6_', config.ipv6Network, lease.ipv6Subnet) : []),
    `FLANNEL_MTU=${mtuBytes}`,
    `FLANNEL_IPMASQ=${ipMasq}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The subnet is given by its first usable address, which the bridge plugin makes the gateway. */
function networkLines(prefix: string, network: string | null, subnet: string | null): readonly string[] {
  const cidr = parseCidr(subnet ?? '');
  const whole = parseCidr(network ?? '');
  if (cidr === undefined || whole === undefined) return [];
  return [
    `FLANNEL_${prefix}NETWORK=${formatNetwork(whole)}`,
    `FLANNEL_${prefix}SUBNET=${nthAddress(cidr, 1)}/${cidr.prefixLength}`,
  ];
}

/**
 * What FLANNEL_MTU should be: the smallest MTU of the overlay's devices. flannel writes 50 bytes less than the outer MTU even where
 * its IPv6 device carries 20 less than that.
 */
export function subnetMtu(config: NetworkConfig, underlayMtuBytes: number): number {
  const vxlan = vxlanOf(config);
  return Math.min(...overlayFamilies(config, vxlan.vni).map(({ family }) => linkMtu(family, vxlan, underlayMtuBytes)));
}
