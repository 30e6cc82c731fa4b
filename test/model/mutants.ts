import { ConflictError } from '../../src/errors.ts';
import { decodeDumped } from '../../src/leases/backup.ts';
import { removalOf, removePlanned } from '../../src/leases/prune.ts';
import type { Silence } from '../../src/probe/silence-verdict.ts';
import { decideAllocation } from '../../src/store/allocation.ts';
import { allocationConfig } from '../../src/store/allocation-config.ts';
import { decodeWritten } from '../../src/store/codec.ts';
import { freshLease } from '../../src/store/etcd-fresh-lease.ts';
import { leaseText } from '../../src/store/etcd-lease-id.ts';
import { keyOfText, listRecords, readRecord } from '../../src/store/etcd-records.ts';
import type { EtcdOperation, EtcdSession } from '../../src/store/etcd-session.ts';
import { encodeLeaseValue } from '../../src/store/lease-value.ts';
import type { AcquireRequest, Lease, StoreDump, SubnetStore } from '../../src/store/store.ts';
import { formatSubnetKey } from '../../src/store/subnet-key.ts';

/** Something to be found: parts of the real thing, each with one rail taken away. */
export interface Mutant {
  store(store: SubnetStore, session: EtcdSession, prefix: string): SubnetStore;
  silence(measured: Silence): Silence;
  readonly remove: typeof removePlanned;
}

export const REAL: Mutant = { store: (store) => store, silence: (measured) => measured, remove: removePlanned };

/** `violation`: what the model has to say of it. */
export const MUTANTS: Readonly<Record<string, Mutant & { readonly violation: RegExp }>> = {
  'a removal that does not compare': {
    ...REAL,
    violation: /written after its plan/,
    store: (store, session, prefix) => ({
      ...store,
      remove: ({ key }) => session.run((operation) => removeBlindly(operation, prefix, key)),
    }),
  },
  'a removal that compares before its transaction and not in it': {
    ...REAL,
    violation: /written after its plan/,
    store: (store, session, prefix) => ({
      ...store,
      remove: ({ key, modRevision }) =>
        session.run(async (operation) => {
          const found = await readRecord(operation, keyOfText(key, prefix));
          if (found?.mod_revision !== modRevision) throw new ConflictError(`${key} changed`);
          await removeBlindly(operation, prefix, key);
        }),
    }),
  },
  'a removal that does not read the TTL again': {
    ...REAL,
    violation: /kept alive after its plan/,
    store: (store) => ({ ...store, remove: (record) => store.remove(record) }),
  },
  'a prune that does not heed the measurement': {
    ...REAL,
    violation: /owner that answers/,
    silence: ({ because }) => ({ verdict: 'silent', because }),
  },
  'a prune that takes what it does not know for silence': {
    ...REAL,
    violation: /owner was not silent/,
    silence: ({ verdict, because }) => ({ verdict: verdict === 'unknown' ? 'silent' : verdict, because }),
  },
  'a backup that holds other bytes': {
    ...REAL,
    violation: /before it was in a backup/,
    store: (store) => ({ ...store, dump: async () => withoutValues(await store.dump()) }),
  },
  'a prune without a backup': {
    ...REAL,
    violation: /before it was in a backup/,
    remove: async (leases, { store }) => {
      for (const { record } of leases) await store.remove(record);
      return { backup: null, deleted: leases.map(removalOf), changed: [], failed: [], untried: [] };
    },
  },
  'a restore that looks at its key alone': {
    ...REAL,
    violation: /its place was taken/,
    store: (store, session, prefix) => ({
      ...store,
      putBack: (dumped, ttlSeconds) =>
        session.run(async (operation) => {
          const key = keyOfText(dumped.key, prefix);
          const value = Buffer.from(dumped.valueBase64, 'base64');
          const lease = await grant(operation, ttlSeconds);
          await operation.write(dumped.key, {
            compare: [{ target: 'Version', result: 'Equal', key, version: '0' }],
            success: [{ request_put: { key, value, lease } }],
          });
          return decodeDumped(dumped);
        }),
    }),
  },
  'an acquisition that compares its key alone': {
    ...REAL,
    violation: /its place was taken/,
    store: (store, session, prefix) => ({
      ...store,
      acquire: (request) => acquireByKey(store, { session, prefix }, request),
    }),
  },
  'a renewal that puts whatever stands there': {
    ...REAL,
    violation: /a renewal (did not compare|made a record anew)|written over/,
    store: (store, session, prefix) => ({
      ...store,
      renew: (lease, attributes) =>
        session.run(async (operation) => {
          const put = { key: keyOfText(lease.key, prefix), value: Buffer.from(encodeLeaseValue(attributes)) };
          const id = await grant(operation, 86_400);
          await operation.write(lease.key, { success: [{ request_put: { ...put, lease: id } }] });
          return lease;
        }),
    }),
  },
};

/** Whatever stands there; that there was something it tells truly. */
async function removeBlindly({ write }: EtcdOperation, prefix: string, key: string): Promise<void> {
  const success = [{ request_delete_range: { key: keyOfText(key, prefix) } }];
  const { responses } = await write(`the removal of ${key}`, { success });
  if (responses[0]?.response_delete_range?.deleted !== '1') throw new ConflictError(`${key} is gone`);
}

/** As flanneld, which asks only that nobody has the key. */
async function acquireByKey(store: SubnetStore, { session, prefix }: Where, request: AcquireRequest): Promise<Lease> {
  const config = allocationConfig(await store.readNetworkConfig());
  const [value, random] = [encodeLeaseValue(request.attributes), (limit: number) => limit >> 1];
  return session.run(async (operation) => {
    const { records } = await listRecords(operation, prefix, { ttl: false });
    const decision = decideAllocation({ config, records, request, random });
    if (decision.kind === 'reuse') return decision.lease;
    const name = formatSubnetKey(decision.pair);
    const key = keyOfText(name, prefix);
    const lease = await grant(operation, 86_400);
    const { succeeded, header } = await operation.write(name, {
      compare: [{ target: 'Version', result: 'Equal', key, version: '0' }],
      success: [{ request_put: { key, value: Buffer.from(value), lease } }],
    });
    if (!succeeded) throw new ConflictError(`${name} is taken`);
    const written = { key: name, value, etcdLease: leaseText(lease), modRevision: header.revision };
    return decodeWritten({ ...written, expiresAt: null });
  });
}

interface Where {
  readonly session: EtcdSession;
  readonly prefix: string;
}

function withoutValues(dump: StoreDump): StoreDump {
  return { ...dump, records: dump.records.map((record) => ({ ...record, valueBase64: '' })) };
}

async function grant(operation: EtcdOperation, seconds: number | null): Promise<string> {
  return seconds === null ? '0' : (await freshLease(operation, seconds).granted()).id;
}
