import { AbsentError } from '../errors.ts';
import {
  bitsOf,
  type Cidr,
  type Family,
  formatNetwork,
  ipToNumber,
  makeCidr,
  numberOf,
  overlaps,
  parseCidr,
} from '../net/cidr.ts';
import type { NetworkConfig } from './config.ts';
import type { AcquireRequest, Lease, LeaseAttributes, LeaseRecord } from './store.ts';
import { canonicalPair, type SubnetPair } from './subnet-key.ts';

export interface AllocationInput {
  /** Checked: the ranges of the enabled families are filled in. */
  readonly config: NetworkConfig;
  readonly records: readonly LeaseRecord[];
  readonly request: AcquireRequest;
  /** An integer from 0 to below `limit`. */
  readonly random: (limit: number) => number;
}

export type Allocation =
  | { readonly kind: 'reuse'; readonly lease: Lease }
  | {
      readonly kind: 'create';
      readonly why: 'previous' | 'free';
      readonly pair: SubnetPair;
      /** Own lease that the configuration no longer admits: it goes in the same write (flannel tryAcquireLease). */
      readonly replaces: Lease | null;
    };

/** As flannel, which takes one of the first hundred so that nodes that start together seldom meet. */
const CANDIDATES = 100;

/**
 * Which subnet a node gets: its own lease again, else the previous one if nobody overlaps it, else a free one.
 * @throws {AbsentError} `out of subnets`.
 */
export function decideAllocation(input: AllocationInput): Allocation {
  const { config, records, request } = input;
  const own = findOwnLease(records, request.attributes, ({ subnet }) => subnet === (request.previousSubnet ?? ''));
  if (own !== undefined && isAdmitted(config, own)) return { kind: 'reuse', lease: own };
  const others = own === undefined ? records : records.filter((record) => record !== own);
  const replaces = own ?? null;
  const previous = previousPair(input, others);
  if (previous !== undefined) return { kind: 'create', why: 'previous', pair: previous, replaces };
  return { kind: 'create', why: 'free', pair: pickFree(input, others), replaces };
}

/**
 * The lease of the node with these addresses; of several a preferred one, else the first. An IPv6-only node publishes
 * 0.0.0.0, as every other one does, so only its IPv6 address tells whose a lease is.
 */
export function findOwnLease(
  records: readonly LeaseRecord[],
  who: Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>,
  isPreferred: (lease: Lease) => boolean,
): Lease | undefined {
  const own = records
    .filter((record) => record.kind === 'lease')
    .filter(({ attributes }) => isSameNode(attributes, who));
  return own.find(isPreferred) ?? own[0];
}

function isSameNode(
  a: Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>,
  b: Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>,
): boolean {
  if (a.publicIp !== null || b.publicIp !== null) return a.publicIp === b.publicIp;
  return a.publicIpv6 !== null && a.publicIpv6 === b.publicIpv6;
}

interface Range {
  readonly length: number;
  readonly min: bigint;
  readonly max: bigint;
}

/** `undefined`: the family is off. */
function rangeOf(config: NetworkConfig, family: Family): Range | undefined {
  const [isOn, length, min, max] =
    family === 4
      ? [config.enableIPv4, config.subnetLen, config.subnetMin, config.subnetMax]
      : [config.enableIPv6, config.ipv6SubnetLen, config.ipv6SubnetMin, config.ipv6SubnetMax];
  if (!isOn || length === null || min === null || max === null) return undefined;
  return { length, min: ipToNumber(min, family), max: ipToNumber(max, family) };
}

function isAdmitted(config: NetworkConfig, pair: SubnetPair): boolean {
  return isInRange(pair.subnet, rangeOf(config, 4)) && isInRange(pair.ipv6Subnet, rangeOf(config, 6));
}

function isInRange(subnet: string | null, range: Range | undefined): boolean {
  const cidr = subnet === null ? undefined : parseCidr(subnet);
  if (cidr === undefined || range === undefined) return cidr === undefined && range === undefined;
  const start = numberOf(cidr);
  return cidr.prefixLength === range.length && start >= range.min && start <= range.max;
}

function previousPair({ config, request }: AllocationInput, others: readonly LeaseRecord[]): SubnetPair | undefined {
  const pair = canonicalPair({
    subnet: request.previousSubnet ?? null,
    ipv6Subnet: config.enableIPv6 ? (request.previousIpv6Subnet ?? null) : null,
  });
  if (pair === undefined || !isAdmitted(config, pair)) return undefined;
  const wanted = [...networksOf(pair)];
  const isTaken = takenNetworks(others).some((taken) => wanted.some((network) => overlaps(network, taken)));
  return isTaken ? undefined : pair;
}

function pickFree({ config, random }: AllocationInput, others: readonly LeaseRecord[]): SubnetPair {
  const taken = takenNetworks(others);
  const pick = (family: Family): string | null => {
    const range = rangeOf(config, family);
    if (range === undefined) return null;
    const free = freeSubnets(range, family, taken);
    const chosen = free[random(free.length)];
    if (chosen === undefined) throw new AbsentError(`out of subnets: every /${range.length} of the network is taken`);
    return formatNetwork(chosen);
  };
  return { subnet: pick(4), ipv6Subnet: pick(6) };
}

/** The first free ones, in order; what lies under a taken network is passed in one step. */
function freeSubnets(range: Range, family: Family, taken: readonly Cidr[]): readonly Cidr[] {
  const size = 1n << BigInt(bitsOf(family) - range.length);
  const blocks = taken.filter((network) => network.family === family).sort(byStart);
  const free: Cidr[] = [];
  let next = 0;
  for (let start = range.min; start <= range.max && free.length < CANDIDATES; ) {
    while (next < blocks.length && endOf(blocks[next]) <= start) next += 1;
    const block = blocks[next];
    if (block === undefined || numberOf(block) >= start + size) {
      free.push(makeCidr(family, start, range.length));
      start += size;
    } else {
      start = alignUp(endOf(block), size);
    }
  }
  return free;
}

function takenNetworks(records: readonly LeaseRecord[]): readonly Cidr[] {
  return records.flatMap((record) => (record.kind === 'malformed-key' ? [] : [...networksOf(record)]));
}

function networksOf({ subnet, ipv6Subnet }: SubnetPair): readonly Cidr[] {
  return [subnet, ipv6Subnet].flatMap((text) => (text === null ? [] : [parseCidr(text) ?? []].flat()));
}

function byStart(a: Cidr, b: Cidr): number {
  const difference = numberOf(a) - numberOf(b);
  return difference < 0n ? -1 : Number(difference > 0n);
}

function endOf(network: Cidr | undefined): bigint {
  if (network === undefined) return 0n;
  return numberOf(network) + (1n << BigInt(bitsOf(network.family) - network.prefixLength));
}

function alignUp(value: bigint, size: bigint): bigint {
  return ((value + size - 1n) / size) * size;
}
