import type { IKeyValue } from 'etcd3';
import { InputError } from '../errors.ts';
import { decodeRecord, type RawRecord } from './codec.ts';
import { leaseText } from './etcd-lease-id.ts';
import { type EtcdPage, readPages } from './etcd-pages.ts';
import type { EtcdOperation } from './etcd-session.ts';
import { withExpiries } from './etcd-times.ts';
import type { LeaseRecord, ListOptions } from './store.ts';
import { decodeKeyText, encodeKeyText } from './untrusted-text.ts';

export interface EtcdRecords {
  readonly records: readonly LeaseRecord[];
  readonly revision: string;
  readonly clusterId: string;
  /** Which gave the last page. */
  readonly endpoint: string;
}

/** `at`: a revision to list instead of the newest. */
export type EtcdListOptions = ListOptions & { readonly at?: string | undefined };

/** All records below the prefix, in one revision. @throws {CompactedError} when `at` is not kept. */
export async function listRecords(
  operation: EtcdOperation,
  prefix: string,
  { ttl = true, onPage, at }: EtcdListOptions,
): Promise<EtcdRecords> {
  const nameOf = keyNamer(prefix);
  const records: LeaseRecord[] = [];
  let last: EtcdPage | undefined;
  for await (const page of readPages(operation, { range: subnetsRange(prefix), at })) {
    if (page.isFirst) records.length = 0;
    const decoded = page.kvs.map((kv) => decodeRecord(rawRecordOf(kv, nameOf)));
    for (const record of decoded) records.push(record);
    if (!ttl) onPage?.({ records: decoded, revision: page.revision });
    last = page;
  }
  const { revision = '0', clusterId = '', endpoint = '' } = last ?? {};
  const all = ttl ? await withExpiries(operation, { records, revision }, onPage) : records;
  return { records: all, revision, clusterId, endpoint };
}

/** A record as it is at this moment. */
export function readRecord(operation: EtcdOperation, key: Buffer): Promise<IKeyValue | undefined> {
  return operation.read(async ({ kv, options }) => (await kv.range({ key }, options)).kvs[0]);
}

/** flannel lists `<prefix>/subnets` without a trailing slash (registry.go:getSubnets). */
export function subnetsRange(prefix: string): { readonly key: Buffer; readonly range_end: Buffer } {
  return { key: Buffer.from(`${prefix}/subnets`), range_end: Buffer.from(`${prefix}/subnett`) };
}

/** Gives keys the name they have in {@link LeaseRecord.key}. */
export type KeyNamer = (key: Uint8Array) => string;

/** One beside the folder, which flannel reads all the same, keeps its whole path, as does one whose name looks like a path. */
export function keyNamer(prefix: string): KeyNamer {
  const start = startOfKeys(prefix);
  const folder = `${start}/`;
  return (key) => {
    const text = encodeKeyText(key);
    const name = text.slice(folder.length);
    return text.startsWith(folder) && !isWhole(name, start) ? name : text;
  };
}

function startOfKeys(prefix: string): string {
  return `${encodeKeyText(Buffer.from(prefix))}/subnets`;
}

/** Whether it is a key as it stands in etcd, and no name within the folder. */
function isWhole(text: string, start: string): boolean {
  return text.startsWith('/') || text.startsWith(start);
}

/** The key that {@link keyNamer} named. */
export function keyOfText(text: string, prefix: string): Buffer {
  if (isWhole(text, startOfKeys(prefix))) return decodeKeyText(text);
  return Buffer.concat([Buffer.from(`${prefix}/subnets/`), decodeKeyText(text)]);
}

/** As {@link keyOfText}. @throws {InputError} when the key is none that a listing shows: the configuration, another prefix. */
export function keyOfRecord(text: string, prefix: string): Buffer {
  const key = keyOfText(text, prefix);
  const { key: start, range_end: end } = subnetsRange(prefix);
  if (Buffer.compare(key, start) >= 0 && Buffer.compare(key, end) < 0) return key;
  throw new InputError(`${text} is no record below ${prefix}/subnets`);
}

/** Its time is not asked for. */
export function rawRecordOf(kv: IKeyValue, nameOf: KeyNamer): RawRecord {
  return {
    key: nameOf(kv.key),
    value: kv.value.toString('utf8'),
    expiresAt: undefined,
    etcdLease: leaseText(kv.lease),
    modRevision: kv.mod_revision,
  };
}
