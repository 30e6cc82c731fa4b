import { AbsentError, ConflictError } from '../errors.ts';
import { allocationConfig } from './allocation-config.ts';
import { acquireFromEtcd } from './etcd-acquire.ts';
import { chance as machineChance } from './etcd-chance.ts';
import { removeFromEtcd, renewInEtcd } from './etcd-change.ts';
import type { ConnectOptions } from './etcd-connection.ts';
import { dumpEtcd } from './etcd-dump.ts';
import { freshLease } from './etcd-fresh-lease.ts';
import { putCompared } from './etcd-put.ts';
import { putBackIntoEtcd } from './etcd-put-back.ts';
import { type EtcdListOptions, keyOfText, listRecords, readRecord } from './etcd-records.ts';
import { type EtcdCalls, type EtcdOperation, type EtcdSession, openSession } from './etcd-session.ts';
import { withExpiries } from './etcd-times.ts';
import { watchEtcd } from './etcd-watch.ts';
import type { StoredNetworkConfig, SubnetStore } from './store.ts';

/**
 * Leases in etcd's v3 API. `timeoutMs` holds for each operation as a whole, however many endpoints are given.
 * @throws {AbsentError} or {UnavailableError} when a TLS file cannot be read; nothing is sent yet.
 */
export async function openEtcdStore(options: ConnectOptions): Promise<SubnetStore> {
  const { prefix } = options.selection;
  return etcdStore(await openSession(options, configKeyOf(prefix)), prefix);
}

/** The same over a session that is open: the model test decides there when each call may go. */
export function etcdStore(session: EtcdSession, prefix: string, chance = machineChance): SubnetStore {
  const configKey = configKeyOf(prefix);
  const description = `etcd ${session.endpoints.join(',')} ${prefix}`;
  const putBack = putBackIntoEtcd(session, prefix, chance);
  const listing = async (operation: EtcdOperation, options: EtcdListOptions) => {
    const { endpoint, ...records } = await listRecords(operation, prefix, options);
    return { ...records, source: `etcd ${endpoint} ${prefix}` };
  };
  return {
    kind: 'etcd',
    description,
    readNetworkConfig: () => session.read((calls) => readConfig(calls, configKey)),
    writeNetworkConfig: (text, expected) =>
      session.run((operation) => writeConfig(operation, { configKey, text, expected })),
    listLeases: (list = {}) => session.run((operation) => listing(operation, list)),
    readTimes: (page, onPage) => session.run((operation) => withExpiries(operation, page, onPage)),
    acquire: (request) =>
      session.run(async (operation) => {
        const config = allocationConfig(await operation.read((calls) => readConfig(calls, configKey)));
        return acquireFromEtcd({ operation, prefix, config, request, chance });
      }),
    renew: (lease, attributes) => session.run((operation) => renewInEtcd({ operation, prefix }, lease, attributes)),
    remove: (record, { unlessTtlAboveSeconds } = {}) =>
      session.run((operation) => removeFromEtcd({ operation, prefix }, record, unlessTtlAboveSeconds)),
    dump: (dump) => session.run((operation) => dumpEtcd(operation, { prefix, configKey }, dump)),
    putBack,
    watch: (signal, more = {}) => watchEtcd({ session, prefix, signal, listing, ...more }),
    close: async () => session.close(),
  };
}

/** Raw records below `<prefix>/subnets/`, past all rules; keys as {@link LeaseRecord} names them. */
export interface RawEtcd {
  get(key: string): Promise<string | undefined>;
  /** Without a TTL, unless one is given. */
  put(key: string, value: string, options?: { readonly ttlSeconds?: number }): Promise<void>;
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}

/** For tests and the drill, which break what a store would never write. @throws as {@link openEtcdStore}. */
export async function openRawEtcd(options: ConnectOptions): Promise<RawEtcd> {
  const { prefix } = options.selection;
  const session = await openSession(options, Buffer.from(`${prefix}/config`));
  const keyOf = (text: string) => keyOfText(text, prefix);
  return {
    get: (key) =>
      session.read(async ({ kv, options: call }) =>
        (await kv.range({ key: keyOf(key) }, call)).kvs[0]?.value.toString('utf8'),
      ),
    put: (key, value, { ttlSeconds } = {}) =>
      session.run(async (operation) => {
        const lease = ttlSeconds === undefined ? '0' : (await freshLease(operation, ttlSeconds).granted()).id;
        const put = { key: keyOf(key), value: Buffer.from(value), lease };
        await operation.write(key, { success: [{ request_put: put }] });
      }),
    delete: (key) =>
      session.run(async (operation) => {
        await operation.write(key, { success: [{ request_delete_range: { key: keyOf(key) } }] });
      }),
    close: async () => session.close(),
  };
}

const SLASH = 0x2f;

function configKeyOf(prefix: string): Buffer {
  return Buffer.from(`${prefix}/config`);
}

async function readConfig({ kv, options, endpoint }: EtcdCalls, key: Buffer): Promise<StoredNetworkConfig> {
  const found = (await kv.range({ key }, options)).kvs[0];
  if (found === undefined) {
    const isBare = key[0] !== SLASH;
    const doubt = isBare ? ', a key without a slash in front' : '';
    throw new AbsentError(`etcd ${endpoint} has no network configuration at ${key}${doubt}`, {
      hint: isBare
        ? `flannel takes --etcd-prefix as it stands: did you mean /${key.toString().slice(0, -'/config'.length)}?`
        : 'Write one with "flannelctl config set FILE"; what was written with the v2 API is not seen.',
    });
  }
  return stored(key, found.value.toString('utf8'), found.mod_revision);
}

interface ConfigWrite {
  readonly configKey: Buffer;
  readonly text: string;
  readonly expected: string | null;
}

async function writeConfig(operation: EtcdOperation, write: ConfigWrite): Promise<StoredNetworkConfig> {
  const { configKey: key, text, expected } = write;
  const value = Buffer.from(text);
  const replaces = expected === null ? undefined : await readRecord(operation, key);
  const isExpected = expected === null || replaces?.mod_revision === expected;
  const put = { key, name: `the network configuration at ${key}`, value, lease: null, replaces, compare: [], more: [] };
  const written = isExpected ? await putCompared(operation, put) : undefined;
  if (written?.kind === 'written') return stored(key, text, written.modRevision);
  const was = expected === null ? 'there is one already' : `it is no longer at revision ${expected}`;
  throw new ConflictError(`the network configuration at ${key} was not written: ${was}`, {
    hint: 'Read it again with "flannelctl config get".',
  });
}

function stored(key: Buffer, text: string, modRevision: string): StoredNetworkConfig {
  return { text, modRevision, source: `etcdctl get ${key}` };
}
