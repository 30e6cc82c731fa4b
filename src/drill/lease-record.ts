import { formatSubnetKey } from '../store/subnet-key.ts';
import type { DrillNode, RawStore } from './fault.ts';

/** Seconds a lease lives from each renewal (flannel pkg/subnet/etcd: subnetTTL). */
const LEASE_SECONDS = 86_400;

/** What a record of the drill publishes; what is left out is the node's own. */
export interface Published {
  readonly publicIp?: string;
  readonly backendType?: string;
  /** `null`: none. */
  readonly vtep?: { readonly VNI: number; readonly VtepMAC: string } | null;
}

/** A host that is not there: an address of nobody (RFC 5737) and a MAC of nobody. */
export const STRANGER: Published & { readonly publicIp: string } = {
  publicIp: '203.0.113.77',
  vtep: { VNI: 1, VtepMAC: '02:00:5e:00:53:77' },
};

export function keyOf({ subnet }: Pick<DrillNode, 'subnet'>): string {
  return formatSubnetKey({ subnet, ipv6Subnet: null });
}

export function vniOf({ device }: Pick<DrillNode, 'device'>): number {
  return Number(device.slice(device.lastIndexOf('.') + 1));
}

/** As flannel writes it (flannel pkg/lease LeaseAttrs). */
export function recordOf(node: DrillNode, published: Published = {}): string {
  const vtep = published.vtep === undefined ? { VNI: vniOf(node), VtepMAC: node.vtepMac } : published.vtep;
  return JSON.stringify({
    PublicIP: published.publicIp ?? node.publicIp,
    PublicIPv6: null,
    BackendType: published.backendType ?? 'vxlan',
    ...(vtep === null ? {} : { BackendData: vtep }),
  });
}

export interface DrillLease {
  readonly key: string;
  readonly value: string;
  /** Default: as long as a fresh lease. */
  readonly ttlSeconds?: number;
}

export function putLease(raw: RawStore, { key, value, ttlSeconds = LEASE_SECONDS }: DrillLease): Promise<void> {
  return raw.put(key, value, { ttlSeconds });
}

/** The node's record as it was when the drill came up, freshly renewed. */
export function putOwnLease(raw: RawStore, node: DrillNode, published: Published = {}): Promise<void> {
  return putLease(raw, { key: keyOf(node), value: recordOf(node, published) });
}
