import { containsIp, parseCidr } from '../net/cidr.ts';
import type { Lease, LeaseRecord } from '../store/store.ts';

/** A subnet that this host uses, by one of its addresses. */
export interface UsedSubnet {
  /** `flannel.1`, or the path of the subnet file. */
  readonly by: string;
  readonly address: string;
}

/** What this host is known by in the datastore. */
export interface Identity {
  readonly publicIps: readonly string[];
  readonly vtepMacs: readonly string[];
}

export interface ForeignHold {
  readonly used: UsedSubnet;
  readonly lease: Lease;
  /** Public IP of the owner. */
  readonly holder: string;
}

/**
 * Leases of others on subnets that are in use here, one a lease. Behind NAT the public IP is not on this host: a lease that carries the
 * MAC of a device of ours is ours all the same.
 */
export function foreignHolds(
  used: readonly UsedSubnet[],
  records: readonly LeaseRecord[],
  own: Identity,
): readonly ForeignHold[] {
  return records.flatMap((record) => {
    if (record.kind !== 'lease' || isOwn(record, own)) return [];
    const holder = record.attributes.publicIp ?? record.attributes.publicIpv6;
    const use = used.find(({ address }) => covers(record, address));
    return holder === null || use === undefined ? [] : [{ used: use, lease: record, holder }];
  });
}

/** What decides between a subnet that was taken from this host and one that two hosts claim. */
export interface HoldScene {
  /** Whether a flanneld runs here, which goes on as if nothing had happened. */
  readonly runs: boolean;
  /** Whether a lease names this host. */
  readonly hasOwnLease: boolean;
  readonly subnetManager: 'etcd' | 'kube' | 'unknown';
  /** Names of flannel's vxlan devices. */
  readonly devices: readonly string[];
}

/**
 * Whether the record of this host's own subnet was written over: the very subnet of flannel.N now names another host, this host has no
 * other lease, and its flanneld runs on. Everything else that is held by another is one subnet claimed twice.
 */
export function isStolen({ used, lease }: ForeignHold, scene: HoldScene): boolean {
  const isSameSubnet = [lease.subnet, lease.ipv6Subnet].some((text) => text?.split('/')[0] === used.address);
  return (
    isSameSubnet &&
    scene.devices.includes(used.by) &&
    scene.runs &&
    !scene.hasOwnLease &&
    scene.subnetManager !== 'kube'
  );
}

function isOwn({ attributes }: Lease, { publicIps, vtepMacs }: Identity): boolean {
  const { publicIp, publicIpv6, vtep, vtepV6 } = attributes;
  return (
    [publicIp, publicIpv6].some((ip) => ip !== null && publicIps.includes(ip)) ||
    [vtep, vtepV6].some((end) => end !== null && vtepMacs.includes(end.mac))
  );
}

function covers({ subnet, ipv6Subnet }: Lease, address: string): boolean {
  return [subnet, ipv6Subnet].some((text) => {
    const network = parseCidr(text ?? '');
    return network !== undefined && containsIp(network, address);
  });
}
