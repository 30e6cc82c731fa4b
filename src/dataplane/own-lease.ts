import { randomBytes } from 'node:crypto';
import { AbsentError, FlannelctlError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { type Cidr, canonicalNetwork, overlaps, parseCidr } from '../net/cidr.ts';
import { canonicalMac } from '../net/mac.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { AcquireRequest, Lease, LeaseRecord, Vtep } from '../store/store.ts';
import { vxlanOf } from './desired.ts';
import { overlayFamilies } from './device.ts';
import type { ActualOverlay } from './entry.ts';
import type { Underlay } from './underlay.ts';

export interface OwnLeaseInput {
  readonly config: NetworkConfig;
  readonly underlay: Underlay;
  readonly actual: ActualOverlay;
  /** FLANNEL_SUBNET and FLANNEL_IPV6_SUBNET as networks, where the file has them. */
  readonly previous: PreviousSubnets;
}

export interface PreviousSubnets {
  readonly previousSubnet?: string;
  readonly previousIpv6Subnet?: string;
}

/** What this node publishes: a flannel.N that is there keeps its MAC, as peers may have it already; a new one gets a random one. */
export function leaseRequest({ config, underlay, actual, previous }: OwnLeaseInput): AcquireRequest {
  const { vni } = vxlanOf(config);
  const [vtep, vtepV6] = [4, 6].map((family): Vtep | null => {
    const overlay = overlayFamilies(config, vni).find((candidate) => candidate.family === family);
    if (overlay === undefined) return null;
    const link = actual.links.find(({ device }) => device === overlay.device);
    return { vni, mac: canonicalMac(link?.mac ?? '') ?? randomMac() };
  });
  const published = (own: Vtep | null | undefined) => (own ? { VNI: own.vni, VtepMAC: own.mac } : null);
  return {
    attributes: {
      publicIp: underlay.publicIp,
      publicIpv6: underlay.publicIpv6,
      backendType: 'vxlan',
      vtep: vtep ?? null,
      vtepV6: vtepV6 ?? null,
      backendData: published(vtep),
      backendV6Data: published(vtepV6),
    },
    ...previous,
  };
}

/** Locally administered and unicast (flannel pkg/mac). */
export function randomMac(): string {
  const [first = 0, ...rest] = randomBytes(6);
  return [(first & 0xfc) | 0x02, ...rest].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** The subnets that subnet.env names; none when there is no such file, or where a line does not parse. */
export async function readPreviousSubnets(host: Host, subnetFile: string): Promise<PreviousSubnets> {
  const text = await readIfThere(host, subnetFile);
  const subnet = subnetOf(text, 'FLANNEL_SUBNET');
  const ipv6Subnet = subnetOf(text, 'FLANNEL_IPV6_SUBNET');
  return {
    ...(subnet !== undefined && { previousSubnet: subnet }),
    ...(ipv6Subnet !== undefined && { previousIpv6Subnet: ipv6Subnet }),
  };
}

/**
 * Refuses to go on where another node holds what this one uses: its lease's subnet, or without a lease the subnet it had.
 *
 * @throws {FlannelctlError} exit 1, naming both owners.
 */
export function refuseHeldSubnets(used: readonly string[], underlay: Underlay, records: readonly LeaseRecord[]): void {
  for (const subnet of used.map(parseCidr).filter((cidr) => cidr !== undefined)) {
    const holder = records.find((record) => !isOwnRecord(record, underlay) && holds(record, subnet));
    if (holder !== undefined) throw heldByAnother(subnet, holder, underlay);
  }
}

/** Whether the record is published from one of this node's addresses. */
export function isOwnRecord(record: LeaseRecord, { publicIp, publicIpv6 }: Underlay): boolean {
  if (record.kind !== 'lease') return false;
  const published = [record.attributes.publicIp, record.attributes.publicIpv6];
  return [publicIp, publicIpv6].some((ip) => ip !== null && published.includes(ip));
}

/** This node's record: under its own key where that is known, else from one of its addresses, which others may be told differently. */
export function findOwnRecord(
  records: readonly LeaseRecord[],
  underlay: Underlay,
  ownKey: string | undefined,
): Lease | undefined {
  const leases = records.filter((record) => record.kind === 'lease');
  return leases.find(({ key }) => key === ownKey) ?? leases.find((record) => isOwnRecord(record, underlay));
}

function holds(record: LeaseRecord, subnet: Cidr): boolean {
  if (record.kind === 'malformed-key') return false;
  return [record.subnet, record.ipv6Subnet].some((text) => {
    const held = parseCidr(text ?? '');
    return held !== undefined && overlaps(held, subnet);
  });
}

function heldByAnother(subnet: Cidr, holder: LeaseRecord, { publicIp, publicIpv6 }: Underlay): FlannelctlError {
  const owner = holder.kind === 'lease' ? (holder.attributes.publicIp ?? holder.attributes.publicIpv6) : null;
  const text = `${subnet.network}/${subnet.prefixLength}`;
  return new FlannelctlError(
    { code: 'lease-held', exitCode: 1 },
    `${text} is used by this node (${publicIp ?? publicIpv6}), but its lease ${JSON.stringify(holder.key)} is held by ${owner ?? 'an unknown host'}`,
    {
      hint: 'Find out which of the two nodes has pods in that subnet; the other must give it up before it starts again.',
    },
  );
}

async function readIfThere(host: Host, path: string): Promise<string> {
  try {
    return await host.readFile(path);
  } catch (error) {
    if (error instanceof AbsentError) return '';
    throw error;
  }
}

function subnetOf(text: string, name: string): string | undefined {
  const value = text.split('\n').findLast((line) => line.startsWith(`${name}=`));
  return value === undefined ? undefined : canonicalNetwork(value.slice(name.length + 1).trim());
}
