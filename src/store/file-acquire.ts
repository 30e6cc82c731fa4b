import { randomInt } from 'node:crypto';
import { type Allocation, decideAllocation } from './allocation.ts';
import { decodeRecord, decodeWritten } from './codec.ts';
import type { NetworkConfig } from './config.ts';
import { LEASE_MS } from './file-change.ts';
import type { FileDocument, FileRecord } from './file-document.ts';
import { encodeLeaseValue } from './lease-value.ts';
import type { AcquireRequest, Lease } from './store.ts';
import { formatSubnetKey } from './subnet-key.ts';

export interface FileAcquisition {
  readonly document: FileDocument;
  /** Checked, with its ranges. */
  readonly config: NetworkConfig;
  readonly request: AcquireRequest;
  /** Epoch ms. */
  readonly now: number;
}

/** The document with the lease in it. @throws {AbsentError} `out of subnets`. */
export function acquireInDocument(acquisition: FileAcquisition): { next: FileDocument; result: Lease } {
  const { document, config, request } = acquisition;
  const records = Object.entries(document.records).map(toRecord);
  const random = (limit: number) => (limit > 0 ? randomInt(limit) : 0);
  return writeAllocation(acquisition, decideAllocation({ config, records, request, random }));
}

function writeAllocation({ document, request, now }: FileAcquisition, allocation: Allocation) {
  const reused = allocation.kind === 'reuse' ? allocation.lease : undefined;
  const pair = allocation.kind === 'reuse' ? allocation.lease : allocation.pair;
  const key = reused?.key ?? formatSubnetKey(pair);
  const kept = withoutReplaced(document.records, allocation);
  const modRevision = document.revision + 1;
  const previous = reused === undefined ? undefined : document.records[key];
  const record: FileRecord = {
    value: encodeLeaseValue(request.attributes, previous?.value),
    modRevision,
    expiresAt: previous?.expiresAt === null ? null : now + LEASE_MS,
  };
  const next = { ...document, revision: modRevision, records: { ...kept, [key]: record } };
  const result = decodeWritten({ key, ...record, etcdLease: null, modRevision: String(modRevision) });
  return { next, result };
}

function withoutReplaced(records: FileDocument['records'], allocation: Allocation): FileDocument['records'] {
  if (allocation.kind === 'reuse' || allocation.replaces === null) return records;
  const { [allocation.replaces.key]: _, ...kept } = records;
  return kept;
}

function toRecord([key, { value, modRevision, expiresAt }]: [string, FileRecord]) {
  return decodeRecord({ key, value, expiresAt, etcdLease: null, modRevision: String(modRevision) });
}
