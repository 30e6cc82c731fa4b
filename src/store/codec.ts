import { InputError } from '../errors.ts';
import { decodeLeaseValue } from './lease-value.ts';
import type { Lease, LeaseRecord } from './store.ts';
import { parseSubnetKey } from './subnet-key.ts';
import { escapeText, latin1OfKeyText } from './untrusted-text.ts';

/** A record as a store holds it. */
export interface RawRecord {
  /** As in {@link LeaseRecord.key}. */
  readonly key: string;
  readonly value: string;
  readonly expiresAt: number | null | undefined;
  readonly etcdLease: string | null;
  readonly modRevision: string;
}

/** What flannel would make of a record; text that it refuses is escaped and cut. */
export function decodeRecord(raw: RawRecord): LeaseRecord {
  const base = {
    key: raw.key,
    expiresAt: raw.expiresAt,
    etcdLease: raw.etcdLease,
    modRevision: raw.modRevision,
    node: null,
  };
  const subnets = parseSubnetKey(latin1OfKeyText(raw.key));
  if (subnets === undefined) {
    const reason = 'the key is no subnet as flannel writes it';
    return { ...base, kind: 'malformed-key', value: escapeText(raw.value), reason };
  }
  const decoded = decodeLeaseValue(raw.value);
  if ('problem' in decoded) {
    const reason = `the value does not parse: ${decoded.problem}`;
    return { ...base, kind: 'unreadable-value', ...subnets, value: escapeText(raw.value), reason };
  }
  return { ...base, kind: 'lease', ...subnets, attributes: decoded.attributes };
}

/** The lease that was just written as `raw`. @throws {InputError} when its attributes would make a record that flannel ignores. */
export function decodeWritten(raw: RawRecord): Lease {
  const record = decodeRecord(raw);
  if (record.kind === 'lease') return record;
  throw new InputError(`a lease with these attributes would be ignored by flannel: ${record.reason}`);
}
