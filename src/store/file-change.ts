import { ConflictError, InputError } from '../errors.ts';
import { decodeRecord, decodeWritten } from './codec.ts';
import type { FileDocument, FileRecord } from './file-document.ts';
import { encodeLeaseValue } from './lease-value.ts';
import { assertHasTimeLeft, placesOf, tooMuchTime } from './place.ts';
import type { DumpedRecord, Lease, LeaseAttributes, LeaseRecord, StoreDump } from './store.ts';

/** flannel pkg/subnet/etcd: subnetTTL. */
export const LEASE_MS = 86_400_000;

export interface Changed<T> {
  readonly next: FileDocument;
  readonly result: T;
}

/** Records as they are listed, in the order of their keys. */
export function recordsOf(document: FileDocument, options: { readonly ttl: boolean }): readonly LeaseRecord[] {
  return Object.entries(document.records)
    .sort(byKey)
    .map(([key, record]) => toRecord(key, options.ttl ? record : { ...record, expiresAt: undefined }));
}

/** @throws {ConflictError} when the record changed or is gone. */
export function renewInDocument(
  document: FileDocument,
  { lease, attributes, now }: { readonly lease: Lease; readonly attributes: LeaseAttributes; readonly now: number },
): Changed<Lease> {
  const current = unchangedRecord(document, lease, 'renewed');
  const modRevision = document.revision + 1;
  const record: FileRecord = {
    value: encodeLeaseValue(attributes, current.value),
    modRevision,
    expiresAt: current.expiresAt === null ? null : now + LEASE_MS,
  };
  const result = decodeWritten({ key: lease.key, ...record, etcdLease: null, modRevision: String(modRevision) });
  return { next: withRecord(document, lease.key, record), result };
}

/** @throws {ConflictError} when the record changed, is gone, or has more time left than it may have. */
export function removeFromDocument(
  document: FileDocument,
  { record, most, now }: { readonly record: LeaseRecord; readonly most: number | undefined; readonly now: number },
): Changed<undefined> {
  const { expiresAt } = unchangedRecord(document, record, 'removed');
  const seconds = expiresAt === null ? undefined : (expiresAt - now) / 1000;
  if (most !== undefined && seconds !== undefined && seconds > most) throw tooMuchTime(record.key, seconds);
  const { [record.key]: _, ...records } = document.records;
  return { next: { ...document, revision: document.revision + 1, records }, result: undefined };
}

/** @throws {ConflictError} naming what took its place. */
export function putBackInDocument(
  document: FileDocument,
  { dumped, ttlSeconds, now }: { readonly dumped: DumpedRecord; readonly ttlSeconds: number | null; now: number },
): Changed<LeaseRecord> {
  assertHasTimeLeft(dumped.key, ttlSeconds);
  const bytes = Buffer.from(dumped.valueBase64, 'base64');
  const value = bytes.toString('utf8');
  if (!Buffer.from(value).equals(bytes)) {
    throw new InputError(`${dumped.key} is not put back: its value is no UTF-8, which a file store cannot hold`);
  }
  const modRevision = document.revision + 1;
  const expiresAt = ttlSeconds === null ? null : now + ttlSeconds * 1000;
  const record: FileRecord = { value, modRevision, expiresAt };
  const result = toRecord(dumped.key, record);
  placesOf(recordsOf(document, { ttl: false })).assertFree(result);
  return { next: withRecord(document, dumped.key, record), result };
}

export function dumpDocument(
  document: FileDocument,
  where: { readonly path: string; readonly now: number },
): StoreDump {
  const records = Object.entries(document.records)
    .sort(byKey)
    .map(([key, { value, modRevision, expiresAt }]) => ({
      key,
      valueBase64: Buffer.from(value).toString('base64'),
      modRevision: String(modRevision),
      etcdLease: null,
      ttlSeconds: expiresAt === null ? null : Math.max(0, Math.floor((expiresAt - where.now) / 1000)),
    }));
  const config = document.config?.value ?? null;
  return { revision: String(document.revision), clusterId: null, prefix: where.path, config, records };
}

function unchangedRecord(document: FileDocument, { key, modRevision }: LeaseRecord, done: string): FileRecord {
  const current = document.records[key];
  if (current === undefined) throw new ConflictError(`${key} was not ${done}: it is gone`);
  if (String(current.modRevision) === modRevision) return current;
  throw new ConflictError(
    `${key} was not ${done}: it was written meanwhile (revision ${current.modRevision}, not ${modRevision})`,
  );
}

function withRecord(document: FileDocument, key: string, record: FileRecord): FileDocument {
  return { ...document, revision: document.revision + 1, records: { ...document.records, [key]: record } };
}

function toRecord(key: string, record: Omit<FileRecord, 'expiresAt'> & { expiresAt: number | null | undefined }) {
  const { value, modRevision, expiresAt } = record;
  return decodeRecord({ key, value, expiresAt, etcdLease: null, modRevision: String(modRevision) });
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : Number(a > b);
}
