import { type Family, ipToNumber, numberOf, parseCidr } from '../net/cidr.ts';
import type { NetworkConfig } from '../store/config.ts';

interface Subnets {
  readonly subnet: string | null;
  readonly ipv6Subnet: string | null;
}

/** Why the configuration would not give out these subnets today. */
export type Incompatibility =
  | { readonly kind: 'length'; readonly subnet: string; readonly length: number }
  | { readonly kind: 'range'; readonly subnet: string; readonly min: string; readonly max: string }
  | { readonly kind: 'missing'; readonly family: Family }
  | { readonly kind: 'unwanted'; readonly subnet: string; readonly family: Family };

/**
 * What flannel looks at when its daemon starts and finds its lease (pkg/subnet/etcd isSubnetConfigCompat): the length, the range, and
 * whether the families are those that are on. A daemon that runs keeps its subnet all the same.
 */
export function incompatibilities({ subnet, ipv6Subnet }: Subnets, config: NetworkConfig): readonly Incompatibility[] {
  const { subnetLen, subnetMin, subnetMax, ipv6SubnetLen, ipv6SubnetMin, ipv6SubnetMax } = config;
  return [
    ...ofFamily(subnet, { family: 4, isOn: config.enableIPv4, length: subnetLen, min: subnetMin, max: subnetMax }),
    ...ofFamily(ipv6Subnet, {
      family: 6,
      isOn: config.enableIPv6,
      length: ipv6SubnetLen,
      min: ipv6SubnetMin,
      max: ipv6SubnetMax,
    }),
  ];
}

interface FamilyRange {
  readonly family: Family;
  readonly isOn: boolean;
  readonly length: number | null;
  readonly min: string | null;
  readonly max: string | null;
}

function ofFamily(subnet: string | null, { family, isOn, length, min, max }: FamilyRange): readonly Incompatibility[] {
  if (subnet === null) return isOn ? [{ kind: 'missing', family }] : [];
  if (!isOn) return [{ kind: 'unwanted', subnet, family }];
  const cidr = parseCidr(subnet);
  if (cidr === undefined || length === null || min === null || max === null) return [];
  const start = numberOf(cidr);
  if (start < ipToNumber(min, family) || start > ipToNumber(max, family)) return [{ kind: 'range', subnet, min, max }];
  return cidr.prefixLength === length ? [] : [{ kind: 'length', subnet, length }];
}
