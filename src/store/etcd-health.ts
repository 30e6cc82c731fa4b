import { posix } from 'node:path';
import * as v from 'valibot';
import { UnavailableError } from '../errors.ts';
import type { ConnectOptions, EtcdConnection } from './etcd-connection.ts';
import { type LookedAt, lookAtEndpoint } from './etcd-endpoint-look.ts';
import { describeFailure, unavailable } from './etcd-errors.ts';
import { askHttp } from './etcd-http.ts';
import { NO_MATERIAL, readMaterial, type TlsFailure, type TlsMaterial } from './etcd-tls.ts';
import type { Denial, EtcdAccess, EtcdAlarms, EtcdHealth, V2Look } from './health.ts';
import { escapeText } from './untrusted-text.ts';

/** Nothing is sent before a method is called; every method keeps to `timeoutMs`. */
export function openEtcdHealth(options: ConnectOptions): EtcdHealth {
  const { selection, host } = options;
  const opened: EtcdConnection[] = [];
  let looking: Promise<readonly LookedAt[]> | undefined;
  const look = async (): Promise<readonly LookedAt[]> => {
    const material = await readMaterial(selection, host);
    const probeKey = Buffer.from(`${selection.prefix}/config`);
    const looks = await Promise.all(
      selection.endpoints.map((endpoint) => lookAtEndpoint({ ...options, endpoint, material, probeKey })),
    );
    opened.push(...looks.flatMap(({ connection }) => connection ?? []));
    return looks;
  };
  const looks = () => {
    looking ??= look();
    return looking;
  };
  const asked = async (): Promise<Asked> => askedOf(await looks(), options);
  return {
    endpoints: async () => (await looks()).map(({ endpoint, outcome }) => ({ endpoint, outcome })),
    access: async () => readAccess(await asked()),
    alarms: async () => readAlarms(await asked()),
    v2Config: async () => readV2(await looks(), options, await readMaterial(selection, host)),
    existing: async (keys) => readExisting(await asked(), keys),
    readTimes: async (count, budgetMs) => measure(await asked(), count, budgetMs),
    close: async () => {
      for (const connection of opened) connection.close();
    },
  };
}

/** The endpoint that is spoken to from then on. */
interface Asked extends ConnectOptions {
  readonly endpoint: string;
  readonly connection: EtcdConnection;
  readonly address: NonNullable<LookedAt['address']>;
}

/** @throws {UnavailableError} with what every endpoint did when none answers. */
function askedOf(looks: readonly LookedAt[], options: ConnectOptions): Asked {
  for (const { endpoint, outcome, connection, address } of looks) {
    const isThere = outcome.kind === 'answers' && connection !== undefined && address !== undefined;
    if (isThere) return { ...options, endpoint, connection, address };
  }
  const said = looks.flatMap(({ endpoint, outcome }) =>
    outcome.kind === 'answers' ? [] : [`etcd ${endpoint} ${outcome.words}`],
  );
  throw new UnavailableError('unreachable', said.join('; ') || 'no etcd endpoint is given', {
    hint: 'Check --etcd-endpoints.',
  });
}

/** Without credentials an answer means that etcd asks for none. */
async function readAccess(asked: Asked): Promise<EtcdAccess> {
  const { selection, connection, endpoint } = asked;
  const isKnown = selection.username !== '' || (selection.certFile !== '' && selection.keyFile !== '');
  if (!isKnown) return { endpoint, denials: [] };
  const key = Buffer.from(`${selection.prefix}/subnets`);
  const list = (call: CallOptions) =>
    connection.kv.range(
      { key, range_end: Buffer.from(`${selection.prefix}/subnett`), limit: 1, keys_only: true },
      call,
    );
  const denials = await Promise.all([
    denialOf(asked, 'list-leases', list),
    denialOf(asked, 'write-leases', (call) => askToWrite(asked, call)),
  ]);
  return { endpoint, denials: denials.flatMap((denial) => denial ?? []) };
}

type CallOptions = { readonly deadline: number };

/**
 * etcd judges the rights of a transaction before its comparisons. This one compares what is never so (a negative revision), would
 * delete a key that nobody writes, and therefore changes nothing, whoever asks.
 */
function askToWrite({ connection, selection }: Asked, call: CallOptions): Promise<unknown> {
  const key = Buffer.from(`${selection.prefix}/subnets/flannelctl-asks-for-rights`);
  return connection.kv.txn(
    {
      compare: [{ target: 'Mod', result: 'Less', key, mod_revision: '0' }],
      success: [{ request_delete_range: { key } }],
    },
    call,
  );
}

async function denialOf(
  { endpoint, timeoutMs }: Asked,
  action: Denial['action'],
  call: (options: CallOptions) => Promise<unknown>,
): Promise<Denial | undefined> {
  try {
    await call({ deadline: Date.now() + timeoutMs });
    return undefined;
  } catch (error) {
    const failure = describeFailure(endpoint, error, timeoutMs);
    if (failure.reason === 'permission') return { action, words: failure.words };
    throw unavailable([failure]);
  }
}

/** The list of alarms is the cluster's; the size is the member's, and with authentication told to root alone. */
async function readAlarms({ connection, endpoint, timeoutMs }: Asked): Promise<EtcdAlarms> {
  const call = { deadline: Date.now() + timeoutMs };
  try {
    const { alarms } = await connection.maintenance.alarm({}, call);
    const names = alarms.map(({ alarm }) => String(alarm).toUpperCase()).filter((alarm) => alarm !== 'NONE');
    return { endpoint, alarms: [...new Set(names)], databaseBytes: await readSize(connection, call) };
  } catch (error) {
    throw unavailable([describeFailure(endpoint, error, timeoutMs)]);
  }
}

async function readSize({ maintenance }: EtcdConnection, call: CallOptions): Promise<number | null> {
  const [status] = await Promise.allSettled([maintenance.status(call)]);
  return status.status === 'fulfilled' ? Number(status.value.dbSize) : null;
}

const V2_NODE = v.object({ node: v.object({ value: v.string() }) });
/** etcd 2's own "Key not found". */
const V2_NOT_FOUND = v.object({ errorCode: v.literal(100) });

/** Members may differ in what they offer, so each that answers is asked until one offers it. */
async function readV2(
  looks: readonly LookedAt[],
  options: ConnectOptions,
  material: TlsMaterial | TlsFailure,
): Promise<V2Look> {
  askedOf(looks, options);
  const path = posix.join('/v2/keys', encodeURI(options.selection.prefix), 'config');
  for (const { endpoint, address, outcome } of looks) {
    if (outcome.kind !== 'answers' || address === undefined) continue;
    const usable = 'status' in material ? NO_MATERIAL : material;
    const deadline = Date.now() + options.timeoutMs;
    const { text } = await askHttp({ endpoint, address, material: usable, path, deadline });
    const found = v.safeParse(v.pipe(v.string(), v.parseJson(), V2_NODE), text);
    if (found.success) return { kind: 'found', endpoint, config: escapeText(found.output.node.value) };
    if (v.safeParse(v.pipe(v.string(), v.parseJson(), V2_NOT_FOUND), text).success) return { kind: 'empty' };
  }
  return { kind: 'not-offered' };
}

async function readExisting(asked: Asked, keys: readonly string[]): Promise<readonly string[]> {
  const deadline = Date.now() + asked.timeoutMs;
  const found = await Promise.all(keys.map((key) => isThere(asked, Buffer.from(key), deadline)));
  return keys.filter((_, at) => found[at] === true);
}

/** What we may not read is not there as far as we can tell, and nobody concludes anything from that. */
async function isThere({ connection, endpoint, timeoutMs }: Asked, key: Buffer, deadline: number): Promise<boolean> {
  try {
    return (await connection.kv.range({ key, keys_only: true }, { deadline })).kvs.length > 0;
  } catch (error) {
    const failure = describeFailure(endpoint, error, timeoutMs);
    if (failure.reason === 'permission') return false;
    throw unavailable([failure]);
  }
}

async function measure(asked: Asked, count: number, budgetMs: number): Promise<readonly number[]> {
  const { connection, selection, endpoint, timeoutMs } = asked;
  const key = Buffer.from(`${selection.prefix}/config`);
  const end = Date.now() + budgetMs;
  const times: number[] = [];
  while (times.length < count && (times.length === 0 || Date.now() < end)) {
    const before = performance.eventLoopUtilization();
    try {
      await connection.kv.range({ key, limit: 1 }, { deadline: Date.now() + timeoutMs });
    } catch (error) {
      throw unavailable([describeFailure(endpoint, error, timeoutMs)]);
    }
    // Time in which this process itself was busy with something else is not etcd's.
    times.push(performance.eventLoopUtilization(before).idle);
  }
  return times;
}
