import { UsageError } from '../errors.ts';
import { canonicalIp, canonicalNetwork } from '../net/cidr.ts';
import type { LeaseRecord } from '../store/store.ts';
import { parseSubnetKey } from '../store/subnet-key.ts';
import { holds, rangeOf, rangesOf } from './ranges.ts';

/**
 * The records on exactly this subnet, written as a network or as a key: a plain and a dual-stack key can both have it.
 * @throws {UsageError} for what is no subnet.
 */
export function withSubnet(records: readonly LeaseRecord[], text: string): readonly LeaseRecord[] {
  const wanted = subnetsIn(text);
  if (wanted.length === 0) {
    throw new UsageError(`${JSON.stringify(text)} is no subnet`, { hint: 'Write it as 10.244.7.0/24.' });
  }
  return records.filter((record) => record.kind !== 'malformed-key' && wanted.some((one) => isOn(record, one)));
}

/**
 * The records that a word names: the subnet, the key, the public IP, the name of the Node; else, for an address, those whose subnet it
 * lies in. `nodeOf` tells the Node of a record.
 */
export function findLeases(
  records: readonly LeaseRecord[],
  word: string,
  nodeOf: (record: LeaseRecord) => string | null,
): readonly LeaseRecord[] {
  const ip = canonicalIp(word);
  const named = records.filter((record) => record.key === word || nodeOf(record) === word || hasPublicIp(record, ip));
  if (named.length > 0) return named;
  if (ip === undefined) return subnetsIn(word).length === 0 ? [] : withSubnet(records, word);
  const address = rangeOf(`${ip}/${ip.includes(':') ? 128 : 32}`);
  return records.filter((record) => address !== undefined && rangesOf(record).some((range) => holds(range, address)));
}

function subnetsIn(text: string): readonly string[] {
  const network = canonicalNetwork(text);
  if (network !== undefined) return [network];
  // The parser of keys looks at the end alone; a word with anything in front of it is no key.
  const pair = /^[\da-f.:&-]+$/.test(text) ? parseSubnetKey(text) : undefined;
  return [pair?.subnet, pair?.ipv6Subnet].filter((subnet) => typeof subnet === 'string');
}

function isOn(record: Exclude<LeaseRecord, { kind: 'malformed-key' }>, subnet: string): boolean {
  return record.subnet === subnet || record.ipv6Subnet === subnet;
}

function hasPublicIp(record: LeaseRecord, ip: string | undefined): boolean {
  if (record.kind !== 'lease' || ip === undefined) return false;
  return record.attributes.publicIp === ip || record.attributes.publicIpv6 === ip;
}
