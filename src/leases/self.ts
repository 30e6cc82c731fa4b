import { containsIp, parseCidr } from '../net/cidr.ts';
import type { LeaseRecord } from '../store/store.ts';

/** What this host is known by. Empty lists: it has none of it, or it could not be looked at. */
export interface SelfIdentity {
  /** Every address on an interface of this network namespace, canonical text. */
  readonly addresses: readonly string[];
  /** MACs of its flannel.N and flannel-v6.N. */
  readonly vtepMacs: readonly string[];
  /** Addresses of flannel.N, and the network addresses of the subnets in subnet.env. */
  readonly subnetAddresses: readonly string[];
}

/**
 * Whether a record is this host's: its public IP is one of ours, or its VTEP is our flannel.N (behind NAT the public IP is nowhere here),
 * or its subnet is the one in use here, whoever is written in it.
 */
export function selfTest(self: SelfIdentity): (record: LeaseRecord) => boolean {
  const isPublished = publisherTest(self);
  return (record) => record.kind !== 'malformed-key' && (isPublished(record) || isUsedHere(record, self));
}

/** The same without the subnet: that may be in use on two hosts, of which the lease names one. */
export function publisherTest({ addresses, vtepMacs }: SelfIdentity): (record: LeaseRecord) => boolean {
  const [ours, macs] = [new Set(addresses), new Set(vtepMacs)];
  return (record) => record.kind === 'lease' && isPublishedHere(record.attributes, ours, macs);
}

function isPublishedHere(
  { publicIp, publicIpv6, vtep, vtepV6 }: Extract<LeaseRecord, { kind: 'lease' }>['attributes'],
  addresses: ReadonlySet<string>,
  macs: ReadonlySet<string>,
): boolean {
  return (
    (publicIp !== null && addresses.has(publicIp)) ||
    (publicIpv6 !== null && addresses.has(publicIpv6)) ||
    (vtep !== null && macs.has(vtep.mac)) ||
    (vtepV6 !== null && macs.has(vtepV6.mac))
  );
}

function isUsedHere(record: { subnet: string | null; ipv6Subnet: string | null }, self: SelfIdentity): boolean {
  if (self.subnetAddresses.length === 0) return false;
  return [record.subnet, record.ipv6Subnet].some((text) => {
    const network = parseCidr(text ?? '');
    return network !== undefined && self.subnetAddresses.some((address) => containsIp(network, address));
  });
}
