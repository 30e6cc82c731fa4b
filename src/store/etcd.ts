import { AbsentError, ConflictError } from '../errors.ts';
import { allocationConfig } from './allocation-config.ts';
import { acquireFromEtcd } from './etcd-acquire.ts';
import type { ConnectOptions } from './etcd-connection.ts';
import { keyOfText, listRecords } from './etcd-records.ts';
import { type EtcdCalls, type EtcdSession, openSession } from './etcd-session.ts';
import type { StoredNetworkConfig, SubnetStore } from './store.ts';

/**
 * Leases in etcd's v3 API. `timeoutMs` holds for each operation as a whole, however many endpoints are given.
 * @throws {AbsentError} or {UnavailableError} when a TLS file cannot be read; nothing is sent yet.
 */
export async function openEtcdStore(options: ConnectOptions): Promise<SubnetStore> {
  const { prefix } = options.selection;
  const configKey = Buffer.from(`${prefix}/config`);
  const session = await openSession(options, configKey);
  const description = `etcd ${session.endpoints.join(',')} ${prefix}`;
  return {
    kind: 'etcd',
    description,
    readNetworkConfig: () => session.read((calls) => readConfig(calls, configKey)),
    writeNetworkConfig: (text, expected) => session.write((calls) => writeConfig(calls, { configKey, text, expected })),
    listLeases: async ({ ttl = true } = {}) =>
      session.read(async (calls) => ({
        ...(await listRecords(calls, prefix, { ttl })),
        source: `etcd ${calls.endpoint} ${prefix}`,
      })),
    acquire: (request) =>
      session.write(async (calls) => {
        const config = allocationConfig(await readConfig(calls, configKey));
        return acquireFromEtcd({ calls, prefix, config, request });
      }),
    close: async () => session.close(),
  };
}

/** Raw records below `<prefix>/subnets/`, past all rules; keys as {@link LeaseRecord} names them. */
export interface RawEtcd {
  get(key: string): Promise<string | undefined>;
  /** Without a TTL. */
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}

/** For tests and the drill, which break what a store would never write. @throws as {@link openEtcdStore}. */
export async function openRawEtcd(options: ConnectOptions): Promise<RawEtcd> {
  const { prefix } = options.selection;
  const session: EtcdSession = await openSession(options, Buffer.from(`${prefix}/config`));
  const keyOf = (text: string) => keyOfText(text, prefix);
  return {
    get: (key) =>
      session.read(async ({ kv, options: call }) =>
        (await kv.range({ key: keyOf(key) }, call)).kvs[0]?.value.toString('utf8'),
      ),
    put: (key, value) =>
      session.write(async ({ kv, options: call }) => {
        await kv.put({ key: keyOf(key), value: Buffer.from(value) }, call);
      }),
    delete: (key) =>
      session.write(async ({ kv, options: call }) => {
        await kv.deleteRange({ key: keyOf(key) }, call);
      }),
    close: async () => session.close(),
  };
}

async function readConfig({ kv, options, endpoint }: EtcdCalls, key: Buffer): Promise<StoredNetworkConfig> {
  const found = (await kv.range({ key }, options)).kvs[0];
  if (found === undefined) {
    throw new AbsentError(`etcd ${endpoint} has no network configuration at ${key}`, {
      hint: 'Write one with "flannelctl config set FILE"; what was written with the v2 API is not seen.',
    });
  }
  return stored(key, found.value.toString('utf8'), found.mod_revision);
}

interface ConfigWrite {
  readonly configKey: Buffer;
  readonly text: string;
  readonly expected: string | null;
}

async function writeConfig({ kv, options }: EtcdCalls, write: ConfigWrite): Promise<StoredNetworkConfig> {
  const { configKey: key, text, expected } = write;
  const target =
    expected === null
      ? ({ target: 'Version', version: '0' } as const)
      : ({ target: 'Mod', mod_revision: expected } as const);
  const put = { request_put: { key, value: Buffer.from(text) } };
  const answer = await kv.txn({ compare: [{ key, result: 'Equal', ...target }], success: [put] }, options);
  if (answer.succeeded) return stored(key, text, answer.header.revision);
  const was = expected === null ? 'there is one already' : `it is no longer at revision ${expected}`;
  throw new ConflictError(`the network configuration at ${key} was not written: ${was}`, {
    hint: 'Read it again with "flannelctl config get".',
  });
}

function stored(key: Buffer, text: string, modRevision: string): StoredNetworkConfig {
  return { text, modRevision, source: `etcdctl get ${key}` };
}
