import { type Family, ipv4ToNumber, numberOf, parseCidr } from '../net/cidr.ts';
import type { LeaseRecord } from '../store/store.ts';

/**
 * Addresses from `first` to `last`: numbers in IPv4, which are much faster, bigints in IPv6. Prefixes that overlap are nested: one of them
 * holds the other.
 */
export interface AddressRange {
  readonly family: Family;
  readonly first: number | bigint;
  readonly last: number | bigint;
}

/** The networks of a record, as ranges; none for a key that does not parse. */
export function rangesOf(record: LeaseRecord): readonly AddressRange[] {
  if (record.kind === 'malformed-key') return [];
  return [record.subnet, record.ipv6Subnet].flatMap((text) => (text === null ? [] : (rangeOf(text) ?? [])));
}

/** `undefined` for what is no network in CIDR notation. */
export function rangeOf(text: string): AddressRange | undefined {
  const cidr = parseCidr(text);
  if (cidr === undefined) return undefined;
  const { family, network, prefixLength } = cidr;
  if (family === 4) {
    const first = ipv4ToNumber(network);
    return { family, first, last: first + 2 ** (32 - prefixLength) - 1 };
  }
  const start = numberOf(cidr);
  return { family, first: start, last: start + (1n << BigInt(128 - prefixLength)) - 1n };
}

export function holds(outer: AddressRange, inner: AddressRange): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

export function overlap(a: AddressRange, b: AddressRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

export interface NamedRange {
  readonly key: string;
  readonly range: AddressRange;
}

/** Keys whose ranges overlap one of another key. In order of address whatever overlaps a range is still open above it. */
export function overlappingKeys(ranges: readonly NamedRange[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const family of [4, 6] as const) {
    const open: NamedRange[] = [];
    for (const next of ranges.filter(({ range }) => range.family === family).toSorted(byStart)) {
      for (let top = open.at(-1); top !== undefined && top.range.last < next.range.first; top = open.at(-1)) open.pop();
      const around = open.at(-1);
      if (around !== undefined && around.key !== next.key) found.add(around.key).add(next.key);
      open.push(next);
    }
  }
  return found;
}

/** The larger of two that start together comes first, so that it is open when the other one is met. */
function byStart({ range: a }: NamedRange, { range: b }: NamedRange): number {
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  if (a.last === b.last) return 0;
  return a.last > b.last ? -1 : 1;
}
