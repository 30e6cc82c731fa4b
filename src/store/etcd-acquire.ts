import type { IKeyValue } from 'etcd3';
import { ConflictError } from '../errors.ts';
import { type Allocation, decideAllocation } from './allocation.ts';
import { decodeWritten } from './codec.ts';
import type { NetworkConfig } from './config.ts';
import type { Chance } from './etcd-chance.ts';
import { type FreshLease, freshLease } from './etcd-fresh-lease.ts';
import { leaseText } from './etcd-lease-id.ts';
import { type ComparedPut, isAt, isUnwrittenSince, LEASE_SECONDS, putCompared } from './etcd-put.ts';
import { keyOfText, listRecords, readRecord, subnetsRange } from './etcd-records.ts';
import type { EtcdOperation } from './etcd-session.ts';
import { decodeLeaseValue, encodeLeaseValue } from './lease-value.ts';
import type { AcquireRequest, Lease, LeasePage } from './store.ts';
import { formatSubnetKey } from './subnet-key.ts';

/** Times another choice is made after somebody else was quicker. */
const TRIES = 30;

export interface EtcdAcquisition {
  readonly operation: EtcdOperation;
  readonly prefix: string;
  /** Checked, with its ranges. */
  readonly config: NetworkConfig;
  readonly request: AcquireRequest;
  readonly chance: Chance;
}

/** @throws {ConflictError} when another host took it; {AbsentError} `out of subnets`. */
export async function acquireFromEtcd(acquisition: EtcdAcquisition): Promise<Lease> {
  const fresh = freshLease(acquisition.operation, LEASE_SECONDS);
  try {
    let known = acquisition.request.listing;
    for (let left = TRIES; left > 0; left -= 1) {
      const lease = await tryToAcquire(acquisition, fresh, known);
      known = undefined;
      if (lease !== undefined) return lease;
      await acquisition.chance.pause();
    }
  } finally {
    await fresh.giveBack();
  }
  throw new ConflictError(`other hosts wrote leases ${TRIES} times in a row while this one asked for a subnet`, {
    hint: 'Run the command again.',
  });
}

async function tryToAcquire(
  acquisition: EtcdAcquisition,
  fresh: FreshLease,
  known: LeasePage | undefined,
): Promise<Lease | undefined> {
  const { operation, prefix, config, request, chance } = acquisition;
  const { records, revision } = known ?? (await listRecords(operation, prefix, { ttl: false }));
  const decision = decideAllocation({ config, records, request, random: (limit) => chance.below(limit) });
  if (decision.kind === 'reuse') return reuse(acquisition, decision.lease, fresh);
  return create(acquisition, { ...decision, revision }, fresh);
}

type NewLease = Extract<Allocation, { readonly kind: 'create' }> & {
  /** Of the listing that the choice was made from. */
  readonly revision: string;
};

/**
 * Compares that nobody wrote a lease since the listing: another client may be giving this very node a subnet, under
 * another key, and then the node would have two.
 */
async function create(acquisition: EtcdAcquisition, wanted: NewLease, fresh: FreshLease): Promise<Lease | undefined> {
  const { operation, prefix, request } = acquisition;
  const { replaces, pair, revision } = wanted;
  const name = formatSubnetKey(pair);
  const key = keyOfText(name, prefix);
  const old = replaces === null ? undefined : keyOfText(replaces.key, prefix);
  const removed = old === undefined || old.equals(key) ? [] : [old];
  const put: ComparedPut = {
    ...{ key, name, lease: fresh, replaces: undefined },
    value: Buffer.from(encodeLeaseValue(request.attributes)),
    compare: [
      isUnwrittenSince(revision, subnetsRange(prefix)),
      ...removed.map((one) => isAt(one, replaces?.modRevision ?? '')),
    ],
    more: removed.map((one) => ({ request_delete_range: { key: one } })),
  };
  const written = await writeLease(operation, put);
  return 'found' in written ? undefined : written;
}

/** A reservation, which has no TTL, stays one: a lease would end it. */
async function reuse(acquisition: EtcdAcquisition, own: Lease, fresh: FreshLease): Promise<Lease | undefined> {
  const { operation, prefix, request } = acquisition;
  const key = keyOfText(own.key, prefix);
  const current = await readRecord(operation, key);
  if (current?.mod_revision !== own.modRevision) return assertStillOurs(current, own, request);
  const value = Buffer.from(encodeLeaseValue(request.attributes, current.value.toString('utf8')));
  const lease = own.etcdLease === null ? null : fresh;
  const put = { key, name: own.key, value, lease, replaces: current, compare: [], more: [] };
  const written = await writeLease(operation, put);
  return 'found' in written ? assertStillOurs(written.found, own, request) : written;
}

/** Asks flannel's parser before it writes. `found`: what stands there instead. */
export async function writeLease(
  operation: EtcdOperation,
  put: ComparedPut,
): Promise<Lease | { readonly found: IKeyValue | undefined }> {
  const raw = { key: put.name, value: put.value.toString('utf8'), expiresAt: null, etcdLease: null, modRevision: '0' };
  decodeWritten(raw);
  const written = await putCompared(operation, put);
  if (written.kind === 'taken') return { found: written.found };
  const { modRevision, expiresAt, leaseId } = written;
  return decodeWritten({ ...raw, modRevision, expiresAt, etcdLease: leaseText(leaseId) });
}

/** The record changed under our hands: by this host (then it is read again), or by another one. */
function assertStillOurs(taken: IKeyValue | undefined, own: Lease, { attributes }: AcquireRequest): undefined {
  if (taken === undefined) return undefined;
  const decoded = decodeLeaseValue(taken.value.toString('utf8'));
  const holder = 'attributes' in decoded ? (decoded.attributes.publicIp ?? decoded.attributes.publicIpv6) : null;
  const us = attributes.publicIp ?? attributes.publicIpv6;
  if (holder === us) return undefined;
  throw new ConflictError(
    `${own.subnet ?? own.ipv6Subnet} was ours (${us}) and is now held by ${holder ?? 'an unreadable record'}`,
  );
}
