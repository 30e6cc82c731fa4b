import { bitsOf, type Family, ipToNumber, numberOf, parseCidr } from '../net/cidr.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { LeaseRecord } from '../store/store.ts';

/** How much of what flannel may give out is taken, in one family. */
export interface SubnetUsage {
  readonly family: Family;
  /** First and last subnet that may be given out, as SubnetMin and SubnetMax have them. */
  readonly min: string;
  readonly max: string;
  /** Prefix length of one subnet. */
  readonly length: number;
  /** IPv6 ranges may hold more than a number can count. */
  readonly total: bigint;
  readonly free: bigint;
}

/** By family that is on and has a range (etcd: always). A record takes every subnet that it overlaps, whatever its value says. */
export function subnetUsage(config: NetworkConfig, records: readonly LeaseRecord[]): readonly SubnetUsage[] {
  const ranges = [
    rangeOf(4, config.enableIPv4, [config.subnetLen, config.subnetMin, config.subnetMax]),
    rangeOf(6, config.enableIPv6, [config.ipv6SubnetLen, config.ipv6SubnetMin, config.ipv6SubnetMax]),
  ];
  return ranges.flatMap((range) => (range === undefined ? [] : [usageOf(range, records)]));
}

interface Range {
  readonly family: Family;
  readonly length: number;
  readonly min: string;
  readonly max: string;
}

function rangeOf(
  family: Family,
  isOn: boolean,
  [length, min, max]: readonly [number | null, string | null, string | null],
): Range | undefined {
  return isOn && length !== null && min !== null && max !== null ? { family, length, min, max } : undefined;
}

function usageOf(range: Range, records: readonly LeaseRecord[]): SubnetUsage {
  const hostBits = BigInt(bitsOf(range.family) - range.length);
  const first = ipToNumber(range.min, range.family) >> hostBits;
  const last = ipToNumber(range.max, range.family) >> hostBits;
  const taken = records
    .flatMap((record) => placesOf(record, range.family, hostBits))
    .map(([from, to]): Places => [from > first ? from : first, to < last ? to : last])
    .filter(([from, to]) => from <= to);
  const total = last - first + 1n;
  return { ...range, total, free: total - countOf(taken) };
}

/** First and last of the subnets, counted from address 0 in steps of one subnet. */
type Places = readonly [from: bigint, to: bigint];

function placesOf(record: LeaseRecord, family: Family, hostBits: bigint): readonly Places[] {
  if (record.kind === 'malformed-key') return [];
  const network = parseCidr((family === 4 ? record.subnet : record.ipv6Subnet) ?? '');
  if (network === undefined) return [];
  const start = numberOf(network);
  const end = start + (1n << BigInt(bitsOf(family) - network.prefixLength)) - 1n;
  return [[start >> hostBits, end >> hostBits]];
}

/** Each place once, however many records take it. */
function countOf(taken: readonly Places[]): bigint {
  let count = 0n;
  let beyond = -1n;
  for (const [from, to] of taken.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))) {
    const start = from > beyond ? from : beyond + 1n;
    if (to < start) continue;
    count += to - start + 1n;
    beyond = to;
  }
  return count;
}
