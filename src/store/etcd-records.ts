import type { IKeyValue } from 'etcd3';
import pLimit from 'p-limit';
import { decodeRecord, type RawRecord } from './codec.ts';
import { isCompacted } from './etcd-errors.ts';
import type { EtcdCalls } from './etcd-session.ts';
import type { LeaseRecord } from './store.ts';
import { decodeKeyText, encodeKeyText } from './untrusted-text.ts';

export interface EtcdRecords {
  readonly records: readonly LeaseRecord[];
  readonly revision: string;
  readonly clusterId: string;
}

const PAGE = 1000;
const TTL_CALLS_IN_FLIGHT = 64;

/** All records below the prefix, in one revision. */
export async function listRecords(calls: EtcdCalls, prefix: string, options: { ttl: boolean }): Promise<EtcdRecords> {
  const listing = await readAllPages(calls, prefix);
  const expiry = options.ttl ? await readExpiries(calls, listing.kvs) : undefined;
  const records = listing.kvs.map((kv) => decodeRecord(rawRecordOf(kv, prefix, expiry)));
  return { records, revision: listing.revision, clusterId: listing.clusterId };
}

/** Name of a record in {@link LeaseRecord.key}; one beside the folder, which flannel reads all the same, keeps its whole path. */
export function keyTextOf(key: Uint8Array, prefix: string): string {
  const text = encodeKeyText(key);
  const folder = `${encodeKeyText(Buffer.from(prefix))}/subnets/`;
  return text.startsWith(folder) ? text.slice(folder.length) : text;
}

/** The key that {@link keyTextOf} named. */
export function keyOfText(text: string, prefix: string): Buffer {
  if (text.startsWith('/')) return decodeKeyText(text);
  return Buffer.concat([Buffer.from(`${prefix}/subnets/`), decodeKeyText(text)]);
}

/** Lease ids are written as etcdctl prints them: hexadecimal. */
export function leaseText(id: string): string | null {
  return id === '0' ? null : BigInt.asUintN(64, BigInt(id)).toString(16);
}

interface Listing {
  readonly kvs: readonly IKeyValue[];
  readonly revision: string;
  readonly clusterId: string;
}

async function readAllPages(calls: EtcdCalls, prefix: string): Promise<Listing> {
  try {
    return await readPages(calls, prefix);
  } catch (error) {
    if (!isCompacted(error)) throw error;
    return readPages(calls, prefix);
  }
}

/** flannel lists `<prefix>/subnets` without a trailing slash (registry.go:getSubnets). */
async function readPages({ kv, options }: EtcdCalls, prefix: string): Promise<Listing> {
  const range_end = Buffer.from(`${prefix}/subnett`);
  const kvs: IKeyValue[] = [];
  let key = Buffer.from(`${prefix}/subnets`);
  let revision = '0';
  for (;;) {
    const page = await kv.range({ key, range_end, limit: PAGE, revision }, options);
    kvs.push(...page.kvs);
    if (revision === '0') revision = page.header.revision;
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return { kvs, revision, clusterId: hexOf(page.header.cluster_id) };
    key = Buffer.concat([last.key, Buffer.from([0])]);
  }
}

function hexOf(id: string): string {
  return BigInt.asUintN(64, BigInt(id)).toString(16);
}

/** Epoch ms by lease id. */
async function readExpiries(calls: EtcdCalls, kvs: readonly IKeyValue[]): Promise<ReadonlyMap<string, number>> {
  const ids = [...new Set(kvs.map((kv) => kv.lease))].filter((id) => id !== '0');
  const limit = pLimit(TTL_CALLS_IN_FLIGHT);
  const expiries = await Promise.all(ids.map((id) => limit(() => readExpiry(calls, id))));
  return new Map(expiries);
}

/** A lease that has ended since the listing answers with a TTL of -1. */
async function readExpiry({ lease, options }: EtcdCalls, id: string): Promise<readonly [string, number]> {
  const { TTL } = await lease.leaseTimeToLive({ ID: id }, options);
  return [id, Date.now() + Math.max(0, Number(TTL)) * 1000];
}

function rawRecordOf(kv: IKeyValue, prefix: string, expiry: ReadonlyMap<string, number> | undefined): RawRecord {
  return {
    key: keyTextOf(kv.key, prefix),
    value: kv.value.toString('utf8'),
    expiresAt: expiry === undefined ? undefined : (expiry.get(kv.lease) ?? null),
    etcdLease: leaseText(kv.lease),
    modRevision: kv.mod_revision,
  };
}
