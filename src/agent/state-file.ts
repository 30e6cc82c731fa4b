import * as v from 'valibot';
import { AbsentError, InputError } from '../errors.ts';
import type { Host, HostWriter } from '../host/host.ts';
import type { Lease, LeaseRecord, SubnetStore } from '../store/store.ts';
import type { WrittenConflist } from './conflist-file.ts';
import { parseTold, type Told } from './told.ts';

/** What the agent knew last, so that it can start without a datastore, and what it made, so that `down` can remove it. */
export interface AgentState {
  /** `/etc/machine-id`; of a host without one its name. */
  readonly machineId: string;
  readonly node: string;
  readonly publicIp: string | null;
  readonly publicIpv6: string | null;
  readonly prefix: string;
  readonly clusterId: string | null;
  /** Of the datastore that the configuration is of, by whose rules it is read; absent in a state of an earlier version. */
  readonly storeKind?: SubnetStore['kind'] | undefined;
  /** Epoch ms. */
  readonly savedAt: number;
  /** The network configuration as stored. */
  readonly config: string;
  readonly own: Lease | null;
  readonly records: readonly LeaseRecord[];
  readonly devices: readonly string[];
  readonly subnetFile: string;
  readonly subnetEnv: string | null;
  /** The CNI configuration that was written; absent: none, or in a state of an earlier version. */
  readonly conflist?: WrittenConflist | undefined;
  /** Absent in a state of an earlier version. */
  readonly told?: Told | undefined;
}

const text = v.pipe(v.string(), v.maxLength(4096));
const nullableText = v.nullable(text);
const vtep = v.nullable(v.object({ vni: v.number(), mac: text }));
const base = {
  key: text,
  expiresAt: v.optional(v.nullable(v.number())),
  etcdLease: nullableText,
  modRevision: text,
  node: nullableText,
};
const subnets = { subnet: nullableText, ipv6Subnet: nullableText };
const lease = v.object({
  ...base,
  ...subnets,
  kind: v.literal('lease'),
  attributes: v.object({
    publicIp: nullableText,
    publicIpv6: nullableText,
    backendType: text,
    vtep,
    vtepV6: vtep,
    backendData: v.unknown(),
    backendV6Data: v.unknown(),
  }),
});
const unreadable = v.object({ ...base, ...subnets, kind: v.literal('unreadable-value'), value: text, reason: text });
const malformed = v.object({ ...base, kind: v.literal('malformed-key'), value: text, reason: text });
const record = v.variant('kind', [lease, unreadable, malformed]);
const schema = v.object({
  version: v.literal(1),
  machineId: text,
  node: text,
  publicIp: nullableText,
  publicIpv6: nullableText,
  prefix: text,
  clusterId: nullableText,
  storeKind: v.optional(v.picklist(['etcd', 'kube', 'file'])),
  savedAt: v.number(),
  config: v.string(),
  own: v.nullable(lease),
  records: v.array(record),
  devices: v.array(text),
  subnetFile: text,
  subnetEnv: v.nullable(v.string()),
  conflist: v.optional(v.object({ path: text, text: v.string() })),
  told: v.optional(v.unknown()),
});

/** 5,000 leases are 2 MiB. */
const MAX_BYTES = 64 * 1024 * 1024;

/** `undefined`: there is none. @throws {InputError} when it does not parse; {UnavailableError} when it cannot be read. */
export async function readState(host: Host, path: string): Promise<AgentState | undefined> {
  let document: string;
  try {
    document = await host.readFile(path, { maxBytes: MAX_BYTES });
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
  const parsed = v.safeParse(schema, parseJson(document));
  if (!parsed.success) throw new InputError(`${path} is no state file of flannelctl: ${parsed.issues[0].message}`);
  const { records, own, told, ...rest } = parsed.output;
  return {
    ...rest,
    told: parseTold(told),
    own: own === null ? null : withExpiry(own),
    records: records.map(withExpiry),
  };
}

/** Leaves out records that could not be read back: a stranger may have written a key of any length. @throws {OutputError} when it cannot be written. */
export function writeState(writer: HostWriter, path: string, state: AgentState): Promise<void> {
  const records = state.records.filter((one) => v.is(record, one));
  return writer.writeFile(path, `${JSON.stringify({ version: 1, ...state, records })}\n`, { mode: 0o600 });
}

export interface Place {
  readonly machineId: string;
  readonly node: string;
  readonly publicIp: string | null;
  readonly publicIpv6: string | null;
  readonly prefix: string;
}

/** Why the state is another host's, a clone's, or another datastore's; `undefined`: it is ours. */
export function strangeness(state: AgentState, here: Place): string | undefined {
  if (state.machineId !== here.machineId) return `it was written on a machine with another id (${state.machineId})`;
  if (state.node !== here.node) return `it is of the node ${state.node}, not of ${here.node}`;
  if (state.prefix !== here.prefix) return `it is of ${state.prefix}, not of ${here.prefix}`;
  if (state.publicIp !== here.publicIp || state.publicIpv6 !== here.publicIpv6)
    return `it is of a node with the address ${state.publicIp ?? state.publicIpv6}, not ${here.publicIp ?? here.publicIpv6}`;
  return undefined;
}

export async function readMachineId(host: Host): Promise<string> {
  try {
    return (await host.readFile('/etc/machine-id')).trim();
  } catch (error) {
    if (error instanceof AbsentError) return (await host.identity()).hostname;
    throw error;
  }
}

function parseJson(document: string): unknown {
  try {
    return JSON.parse(document);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** JSON has no `undefined`: what was not asked for is left out. */
function withExpiry<R extends { readonly expiresAt?: number | null | undefined }>(
  record: R,
): R & { readonly expiresAt: number | null | undefined } {
  return { ...record, expiresAt: record.expiresAt };
}
