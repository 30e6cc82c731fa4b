import * as v from 'valibot';
import { AbsentError, InputError, UsageError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { StoreSelection } from '../store/store.ts';
import { holderSchema, isAlive } from './holder.ts';
import { DRILL_ROOT, ETCD_ENDPOINT, ETCD_PREFIX, isTag, stateDirectory, storeDirectory } from './layout.ts';

export type StoreKind = 'file' | 'etcd';

const schema = v.object({
  tag: v.pipe(v.string(), v.check(isTag)),
  /** Epoch ms. */
  createdAt: v.number(),
  store: v.picklist(['file', 'etcd']),
  /** The flannelctl that the nodes run. */
  program: v.string(),
  /** A real flanneld; `null`: the stand-in. */
  flanneld: v.nullable(v.string()),
  /** Whether the nodes run `flannelctl up` in its place. */
  agent: v.optional(v.boolean(), false),
  switch: holderSchema,
  nodes: v.array(
    v.object({
      index: v.pipe(v.number(), v.integer(), v.minValue(1)),
      holder: holderSchema,
      subnet: v.string(),
      vtepMac: v.string(),
    }),
  ),
});

/** A drill that is up, as `cluster.json` in its directory tells it. */
export type ClusterRecord = Readonly<v.InferOutput<typeof schema>>;
export type NodeRecord = ClusterRecord['nodes'][number];

export function recordPath(tag: string): string {
  return `${stateDirectory(tag)}/cluster.json`;
}

/** Tags of all drills that left a directory here, whatever state they are in. */
export async function listTags(host: Host): Promise<readonly string[]> {
  try {
    return (await host.readDir(DRILL_ROOT)).filter(isTag);
  } catch (error) {
    if (error instanceof AbsentError) return [];
    throw error;
  }
}

/** The drills that are up, latest last. One that is being made or was left half-way has no record. */
export async function listRecords(host: Host): Promise<readonly ClusterRecord[]> {
  const records = await Promise.all((await listTags(host)).map((tag) => readIfThere(host, tag)));
  const running = await Promise.all(
    records.map(async (record) => (record !== undefined && (await isAlive(host, record.switch)) ? [record] : [])),
  );
  return running.flat().sort((a, b) => a.createdAt - b.createdAt);
}

/**
 * The drill of that tag, else the latest.
 * @throws {AbsentError} when there is none.
 */
export async function findRecord(host: Host, tag: string | undefined): Promise<ClusterRecord> {
  const records = await listRecords(host);
  const record = tag === undefined ? records.at(-1) : records.find((candidate) => candidate.tag === tag);
  if (record !== undefined) return record;
  throw new AbsentError(tag === undefined ? 'no drill is up' : `no drill with the tag ${tag} is up`, {
    hint: tag === undefined ? 'Start one: flannelctl drill up' : 'List them: flannelctl drill list',
  });
}

async function readIfThere(host: Host, tag: string): Promise<ClusterRecord | undefined> {
  try {
    return parseRecord(await host.readFile(recordPath(tag)), recordPath(tag));
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}

function parseRecord(text: string, path: string): ClusterRecord {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (parsed.success) return parsed.output;
  throw new InputError(`${path} is not a record of a drill`, {
    hint: 'Remove what is left: flannelctl drill down --all',
  });
}

/** @throws {UsageError} when the drill has no such node. */
export function nodeRecord(record: ClusterRecord, index: number): NodeRecord {
  const own = record.nodes.find((candidate) => candidate.index === index);
  if (own !== undefined) return own;
  throw new UsageError(`the drill ${record.tag} has nodes 1 to ${record.nodes.length}, not ${index}`);
}

/** The datastore as flanneld's flags name it. */
export function endpointOf(record: Pick<ClusterRecord, 'tag' | 'store'>): string {
  return record.store === 'etcd' ? ETCD_ENDPOINT : `file://${storeDirectory(record.tag)}`;
}

export function selectionOf(record: Pick<ClusterRecord, 'tag' | 'store'>): StoreSelection {
  if (record.store === 'file') return { kind: 'file', path: storeDirectory(record.tag) };
  const noTls = { keyFile: '', certFile: '', caFile: '', username: '' };
  return { kind: 'etcd', endpoints: [ETCD_ENDPOINT], prefix: ETCD_PREFIX, ...noTls };
}
