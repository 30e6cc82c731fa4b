import * as v from 'valibot';
import { InputError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { decodeLeaseValue } from '../store/lease-value.ts';
import type { LeaseRecord } from '../store/store.ts';
import { canonicalPair, parseSubnetKey } from '../store/subnet-key.ts';

const item = v.object({
  key: v.pipe(v.string(), v.maxLength(512)),
  publicIP: v.nullish(v.string()),
  publicIPv6: v.nullish(v.string()),
  subnet: v.nullish(v.string()),
  ipv6Subnet: v.nullish(v.string()),
  backendType: v.nullish(v.string()),
  backendData: v.optional(v.unknown()),
  backendV6Data: v.optional(v.unknown()),
  node: v.nullish(v.string()),
});
type Item = v.InferOutput<typeof item>;

const schema = v.object({
  kind: v.literal('LeaseList'),
  items: v.array(item),
  clusterId: v.nullish(v.string()),
  /** The network configuration, as an object or as its text. */
  config: v.optional(v.union([v.string(), v.record(v.string(), v.unknown())])),
});

export interface LeasesFile {
  readonly records: readonly LeaseRecord[];
  /** Of the datastore that they were read from; `null`: the file does not say. */
  readonly clusterId: string | null;
  /** Text of the network configuration; `undefined`: the file has none. */
  readonly config: string | undefined;
}

const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Leases from a document as `flannelctl leases list -o json` prints it; a member `config` may hold the network configuration.
 *
 * @throws {InputError} when it is not such a document; {AbsentError} when it is not there.
 */
export async function readLeasesFile(host: Host, path: string): Promise<LeasesFile> {
  const parsed = v.safeParse(schema, parseJson(await host.readFile(path, { maxBytes: MAX_BYTES })));
  if (!parsed.success) throw new InputError(`${path} is no LeaseList: ${parsed.issues[0].message}`);
  const { items, config, clusterId } = parsed.output;
  return {
    records: items.map(recordOf),
    clusterId: clusterId ?? null,
    config: typeof config === 'object' ? JSON.stringify(config) : config,
  };
}

function recordOf(from: Item): LeaseRecord {
  const base = { key: from.key, node: from.node ?? null, expiresAt: undefined, etcdLease: null, modRevision: '' };
  const value = JSON.stringify({
    PublicIP: from.publicIP ?? undefined,
    PublicIPv6: from.publicIPv6 ?? null,
    BackendType: from.backendType ?? '',
    BackendData: from.backendData ?? undefined,
    BackendV6Data: from.backendV6Data ?? undefined,
  });
  const pair = pairOf(from);
  if (pair === undefined) return { ...base, kind: 'malformed-key', value: '', reason: 'is no subnet' };
  const decoded = decodeLeaseValue(value);
  if ('problem' in decoded) return { ...base, kind: 'unreadable-value', ...pair, value: '', reason: decoded.problem };
  return { ...base, kind: 'lease', ...pair, attributes: decoded.attributes };
}

function pairOf({ key, subnet, ipv6Subnet }: Item) {
  if (subnet === null || subnet === undefined)
    if (ipv6Subnet === null || ipv6Subnet === undefined) return parseSubnetKey(key);
  return canonicalPair({ subnet: subnet ?? null, ipv6Subnet: ipv6Subnet ?? null });
}

function parseJson(document: string): unknown {
  try {
    return JSON.parse(document);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
