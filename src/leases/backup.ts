import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { InputError } from '../errors.ts';
import { decodeRecord } from '../store/codec.ts';
import type { DumpedRecord, LeaseRecord, StoreDump } from '../store/store.ts';
import { escapeText } from '../store/untrusted-text.ts';

const API_VERSION = 'flannelctl.dev/v1';
const KIND = 'LeaseBackup';

/** What a backup file holds. */
export interface LeaseBackup extends StoreDump {
  /** Epoch ms at which the records were read: their TTLs are of that instant. */
  readonly createdAt: number;
}

/** The text of a backup file: one JSON document, ended by a newline. */
export function formatBackup(backup: LeaseBackup): string {
  const { createdAt, clusterId, prefix, revision, config, records } = backup;
  const document = {
    apiVersion: API_VERSION,
    kind: KIND,
    createdAt: new Date(createdAt).toISOString(),
    clusterId,
    prefix,
    revision,
    config,
    records,
  };
  return `${JSON.stringify({ ...document, sha256: digestOf(document) }, null, 1)}\n`;
}

/** @throws {InputError} for a file that is truncated, was changed, or is no backup of ours. */
export function parseBackup(text: string, path: string): LeaseBackup {
  const parsed = v.safeParse(backupSchema, parseJson(text, path));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const where = escapeText(v.getDotPath(issue) ?? 'the document', 100);
    throw new InputError(`${path} is no backup of leases: ${where}: ${escapeText(issue.message)}`);
  }
  const { sha256, ...document } = parsed.output;
  if (sha256 !== digestOf(document)) throw new InputError(`${path} was changed after it was written: its sum differs`);
  const twice = repeated(document.records.map(({ key }) => key));
  if (twice !== undefined) throw new InputError(`${path} holds the key ${twice} twice`);
  const { clusterId, prefix, revision, config, records } = document;
  return { createdAt: Date.parse(document.createdAt), clusterId, prefix, revision, config, records };
}

/** The record as a listing would have it. */
export function decodeDumped({ key, valueBase64, modRevision, etcdLease }: DumpedRecord): LeaseRecord {
  const value = Buffer.from(valueBase64, 'base64').toString('utf8');
  return decodeRecord({ key, value, expiresAt: undefined, etcdLease, modRevision });
}

/** As encodeKeyText writes keys. One that begins with a slash would be a key of somebody else's, unless it lies beside our folder. */
const KEY = /^(?:[!-[\]-~ ]|\\\\|\\x[0-9a-f]{2})+$/;
/** etcd grants no longer lease (lessor.go, MaxLeaseTTL). */
const MAX_TTL_SECONDS = 9_000_000_000;

const count = v.pipe(v.string(), v.regex(/^\d{1,20}$/));
const recordSchema = v.strictObject({
  key: v.pipe(v.string(), v.maxLength(4096), v.regex(KEY, 'no key')),
  valueBase64: v.pipe(v.string(), v.check(isBase64, 'not base64')),
  modRevision: count,
  etcdLease: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{1,16}$/))),
  ttlSeconds: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_TTL_SECONDS))),
});

const backupSchema = v.pipe(
  v.strictObject({
    apiVersion: v.literal(API_VERSION),
    kind: v.literal(KIND),
    createdAt: v.pipe(v.string(), v.isoTimestamp()),
    clusterId: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{1,16}$/))),
    prefix: v.pipe(v.string(), v.maxLength(4096)),
    revision: count,
    config: v.nullable(v.string()),
    records: v.array(recordSchema),
    sha256: v.pipe(v.string(), v.hash(['sha256'])),
  }),
  v.check(
    ({ records, prefix }) => records.every(({ key }) => !key.startsWith('/') || key.startsWith(`${prefix}/subnets`)),
    'a key that is no lease of this prefix',
  ),
);

function isBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text;
}

/** Of the document without the sum, members in their order. */
function digestOf(document: unknown): string {
  return createHash('sha256').update(JSON.stringify(document)).digest('hex');
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path} is no backup of leases: it is not JSON, or not all of it`, { cause: error });
  }
}

function repeated(keys: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return keys.find((key) => seen.size === seen.add(key).size);
}
