import { ConflictError, InputError } from '../errors.ts';
import { bitsOf, type Family, numberOf, parseCidr } from '../net/cidr.ts';
import type { LeaseRecord } from './store.ts';

/** Who stands where, kept so that a thousand records can be asked for without comparing each with each. */
export interface Places {
  /** Who has taken the place of a record: the same key, an overlapping subnet, the same public IP or VTEP MAC. `undefined`: nobody. */
  rivalOf(record: LeaseRecord): Rival | undefined;
  /** @throws {ConflictError} naming the rival. */
  assertFree(record: LeaseRecord): void;
  add(record: LeaseRecord): void;
}

export interface Rival {
  /** Of the record that stands there. */
  readonly key: string;
  /** Goes on after that key: `overlaps it`. */
  readonly words: string;
}

export function placesOf(records: readonly LeaseRecord[]): Places {
  /** Key of the record that has it, by `key …`, `ip …`, `mac …`. */
  const holders = new Map<string, string>();
  const networks: Network[] = [];
  const add = (record: LeaseRecord) => {
    for (const { name } of claimsOf(record)) if (!holders.has(name)) holders.set(name, record.key);
    networks.push(...networksOf(record));
  };
  for (const record of records) add(record);
  const rivalOf = (record: LeaseRecord): Rival | undefined => {
    for (const { name, words } of claimsOf(record)) {
      const key = holders.get(name);
      if (key !== undefined) return { key, words };
    }
    const own = networksOf(record);
    const rival = networks.find((other) => own.some((network) => overlap(network, other)));
    return rival === undefined ? undefined : { key: rival.key, words: 'overlaps it' };
  };
  const assertFree = (record: LeaseRecord) => {
    const rival = rivalOf(record);
    if (rival !== undefined) throw taken(record, rival);
  };
  return { add, rivalOf, assertFree };
}

export function taken({ key }: Pick<LeaseRecord, 'key'>, rival: Rival): ConflictError {
  return new ConflictError(`${key} is not put back: ${rival.key} ${rival.words}`);
}

/** @throws {InputError} when its time is over: what has ended is not brought back. */
export function assertHasTimeLeft(key: string, ttlSeconds: number | null): void {
  if (ttlSeconds === null || ttlSeconds >= 1) return;
  throw new InputError(`${key} is not put back: its time is over`);
}

/** The record was renewed since it was judged, or judged wrongly. */
export function tooMuchTime(key: string, seconds: number): ConflictError {
  return new ConflictError(`${key} was not removed: it has ${Math.floor(seconds)} s left now`);
}

interface Claim {
  readonly name: string;
  /** Goes on after the holder's key. */
  readonly words: string;
}

/** An IPv6-only lease publishes no IPv4 address, as every other one does: nothing is claimed with it. */
function claimsOf(record: LeaseRecord): readonly Claim[] {
  const key = { name: `key ${record.key}`, words: 'is there' };
  if (record.kind !== 'lease') return [key];
  const { publicIp, publicIpv6, vtep, vtepV6 } = record.attributes;
  const ips = [publicIp, publicIpv6].filter((ip) => ip !== null);
  const macs = new Set([vtep, vtepV6].flatMap((one) => one?.mac ?? []));
  return [
    key,
    ...ips.map((ip) => ({ name: `ip ${ip}`, words: `has its public IP ${ip}` })),
    ...[...macs].map((mac) => ({ name: `mac ${mac}`, words: `has its VTEP MAC ${mac}` })),
  ];
}

interface Network {
  readonly key: string;
  readonly family: Family;
  readonly start: number | bigint;
  /** The first address after it. Numbers for IPv4: a hundred times quicker to compare than bigints. */
  readonly end: number | bigint;
}

function networksOf(record: LeaseRecord): readonly Network[] {
  if (record.kind === 'malformed-key') return [];
  return [record.subnet, record.ipv6Subnet].flatMap((text): readonly Network[] => {
    const cidr = parseCidr(text ?? '');
    if (cidr === undefined) return [];
    const { family, prefixLength } = cidr;
    const start = numberOf(cidr);
    const end = start + (1n << BigInt(bitsOf(family) - prefixLength));
    const { key } = record;
    return family === 4 ? [{ key, family, start: Number(start), end: Number(end) }] : [{ key, family, start, end }];
  });
}

function overlap(a: Network, b: Network): boolean {
  return a.family === b.family && a.start < b.end && b.start < a.end;
}
