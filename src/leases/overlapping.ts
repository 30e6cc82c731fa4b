import { type Cidr, numberOf, overlaps, parseCidr } from '../net/cidr.ts';
import type { LeaseRecord } from '../store/store.ts';

/** A record with a subnet that parses. */
export interface Holding {
  readonly key: string;
  /** Public IP; `null`: the value does not parse. */
  readonly owner: string | null;
}

export type OverlappingPair = readonly [Holding, Holding];

/** Pairs of keys whose subnets overlap in either family: other lengths, or one IPv4 subnet in a plain and in a dual-stack key. */
export function overlappingLeases(records: readonly LeaseRecord[]): readonly OverlappingPair[] {
  const pairs = [...pairsOf(records, 'subnet'), ...pairsOf(records, 'ipv6Subnet')];
  return [...new Map(pairs.map((pair) => [pair.map(({ key }) => key).join(' '), pair])).values()];
}

interface Placed extends Holding {
  readonly network: Cidr;
}

/** In order of address a network overlaps only those right behind it, so that no pair is looked at that cannot overlap. */
function pairsOf(records: readonly LeaseRecord[], family: 'subnet' | 'ipv6Subnet'): readonly OverlappingPair[] {
  const placed = records.flatMap((record) => place(record, family)).toSorted(byAddress);
  return placed.flatMap((first, index) => {
    const pairs: OverlappingPair[] = [];
    for (let next = index + 1; next < placed.length; next += 1) {
      const second = placed[next];
      if (second === undefined || !overlaps(first.network, second.network)) break;
      pairs.push([holdingOf(first), holdingOf(second)]);
    }
    return pairs;
  });
}

function place(record: LeaseRecord, family: 'subnet' | 'ipv6Subnet'): readonly Placed[] {
  if (record.kind === 'malformed-key') return [];
  const network = parseCidr(record[family] ?? '');
  const owner = record.kind === 'lease' ? (record.attributes.publicIp ?? record.attributes.publicIpv6) : null;
  return network === undefined ? [] : [{ key: record.key, owner, network }];
}

function holdingOf({ key, owner }: Placed): Holding {
  return { key, owner };
}

function byAddress(a: Placed, b: Placed): number {
  const [first, second] = [numberOf(a.network), numberOf(b.network)];
  if (first !== second) return first < second ? -1 : 1;
  return a.network.prefixLength - b.network.prefixLength || (a.key < b.key ? -1 : 1);
}
