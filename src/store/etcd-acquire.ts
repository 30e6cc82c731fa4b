import { randomInt } from 'node:crypto';
import type { IKeyValue, ITxnRequest } from 'etcd3';
import { ConflictError } from '../errors.ts';
import { decideAllocation } from './allocation.ts';
import { decodeWritten } from './codec.ts';
import type { NetworkConfig } from './config.ts';
import { keyOfText, leaseText, listRecords } from './etcd-records.ts';
import type { EtcdCalls } from './etcd-session.ts';
import { decodeLeaseValue, encodeLeaseValue } from './lease-value.ts';
import type { AcquireRequest, Lease } from './store.ts';
import { formatSubnetKey } from './subnet-key.ts';

/** flannel pkg/subnet/etcd: subnetTTL. */
export const LEASE_SECONDS = 86_400;

/** Times another choice is made after somebody else was quicker. */
const TRIES = 5;

export interface EtcdAcquisition {
  readonly calls: EtcdCalls;
  readonly prefix: string;
  /** Checked, with its ranges. */
  readonly config: NetworkConfig;
  readonly request: AcquireRequest;
}

/** @throws {ConflictError} when another host took it; {AbsentError} `out of subnets`. */
export async function acquireFromEtcd(acquisition: EtcdAcquisition): Promise<Lease> {
  const { calls, prefix, config, request } = acquisition;
  for (let left = TRIES; left > 0; left -= 1) {
    const { records } = await listRecords(calls, prefix, { ttl: false });
    const decision = decideAllocation({ config, records, request, random: (limit) => randomBelow(limit) });
    const lease =
      decision.kind === 'reuse'
        ? await reuse(acquisition, decision.lease)
        : await create(acquisition, { ...decision.pair, replaces: decision.replaces });
    if (lease !== undefined) return lease;
  }
  throw new ConflictError(`other hosts took ${TRIES} subnets in a row while this one asked for them`, {
    hint: 'Run the command again.',
  });
}

/** randomInt refuses a limit of 0. */
export function randomBelow(limit: number): number {
  return limit > 0 ? randomInt(limit) : 0;
}

interface NewLease {
  readonly subnet: string | null;
  readonly ipv6Subnet: string | null;
  readonly replaces: Lease | null;
}

async function create(acquisition: EtcdAcquisition, wanted: NewLease): Promise<Lease | undefined> {
  const { prefix, request } = acquisition;
  const { replaces, ...pair } = wanted;
  const keyText = formatSubnetKey(pair);
  const key = keyOfText(keyText, prefix);
  const old = replaces === null ? undefined : { key: keyOfText(replaces.key, prefix), revision: replaces.modRevision };
  const removesOld = old !== undefined && !old.key.equals(key);
  const compare: Compare[] = [
    { target: 'Version', result: 'Equal', key, version: '0' },
    ...(removesOld ? [unchanged(old.key, old.revision)] : []),
  ];
  const more = removesOld ? [{ request_delete_range: { key: old.key } }] : [];
  const value = encodeLeaseValue(request.attributes);
  const written = await putWithLease(acquisition.calls, { key, keyText, value, compare, more }, true);
  return 'taken' in written ? undefined : written;
}

/** A reservation, which has no TTL, stays one: a lease would end it. */
async function reuse(acquisition: EtcdAcquisition, own: Lease): Promise<Lease | undefined> {
  const { calls, prefix, request } = acquisition;
  const key = keyOfText(own.key, prefix);
  const current = (await calls.kv.range({ key, revision: '0' }, calls.options)).kvs[0];
  if (current === undefined) return undefined;
  const value = encodeLeaseValue(request.attributes, current.value.toString('utf8'));
  const compare = [unchanged(key, own.modRevision)];
  const put = { key, keyText: own.key, value, compare, more: [] };
  const written = await putWithLease(calls, put, own.etcdLease !== null);
  return 'taken' in written ? assertStillOurs(written.taken, own, request) : written;
}

type Compare = NonNullable<ITxnRequest['compare']>[number];
type Operation = NonNullable<ITxnRequest['success']>[number];

interface ComparedPut {
  readonly key: Buffer;
  readonly keyText: string;
  readonly value: string;
  readonly compare: readonly Compare[];
  readonly more: readonly Operation[];
}

/** `taken`: what stands there instead. A fresh lease that got no key is given back; one whose fate is not known is left to end. */
async function putWithLease(
  calls: EtcdCalls,
  { key, keyText, value, compare, more }: ComparedPut,
  isLeased: boolean,
): Promise<Lease | { readonly taken: IKeyValue | undefined }> {
  const raw = { key: keyText, value, expiresAt: null, etcdLease: null, modRevision: '0' };
  decodeWritten(raw);
  const granted = isLeased ? await calls.lease.leaseGrant({ TTL: LEASE_SECONDS }, calls.options) : undefined;
  const expiresAt = granted === undefined ? null : Date.now() + Number(granted.TTL) * 1000;
  const lease = granted?.ID ?? '0';
  const answer = await calls.kv.txn(
    {
      compare: [...compare],
      success: [{ request_put: { key, value: Buffer.from(value), lease } }, ...more],
      failure: [{ request_range: { key } }],
    },
    calls.options,
  );
  if (answer.succeeded) {
    return decodeWritten({ ...raw, expiresAt, etcdLease: leaseText(lease), modRevision: answer.header.revision });
  }
  if (granted !== undefined) await calls.lease.leaseRevoke({ ID: lease }, calls.options);
  return { taken: answer.responses[0]?.response_range?.kvs[0] };
}

function unchanged(key: Buffer, revision: string): Compare {
  return { target: 'Mod', result: 'Equal', key, mod_revision: revision };
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
