import type { Silence } from '../probe/silence-verdict.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { LeaseRecord } from '../store/store.ts';
import { type AddressRange, holds, overlappingKeys, rangeOf, rangesOf } from './ranges.ts';
import { type SelfIdentity, selfTest } from './self.ts';

/** What can be said of a record; a record can bear several. */
export const LEASE_STATES = [
  /** Renewed when it should have been; of a Node: it is Ready. */
  'live',
  'this-host',
  /** Not renewed when it should have been: less is left than the renew margin; of a Node: it is not Ready. Proves nobody dead. */
  'overdue',
  /** Overdue, and its owner was measured to be silent. */
  'stale',
  /** A subnet key without a TTL, whatever its value. */
  'reservation',
  'duplicate-ip',
  'duplicate-mac',
  'overlap',
  'outside-network',
  /** A key that flannel's own parser refuses. */
  'malformed',
] as const;
export type LeaseState = (typeof LEASE_STATES)[number];

/** What is known besides the records. */
export interface LeaseScene {
  /** Epoch ms. */
  readonly now: number;
  readonly storeKind: 'etcd' | 'kube' | 'file';
  /** `null`: it could not be read, so nobody is called outside of it. */
  readonly config: NetworkConfig | null;
  /** A lease with less than that left was not renewed in time. */
  readonly marginSeconds: number;
  readonly self: SelfIdentity;
  /** By name of the Node; only where Kubernetes was asked. */
  readonly nodes: KnownNodes | null;
}

export interface KnownNodes {
  /** Name of the Node by each of its addresses. */
  readonly nameOf: ReadonlyMap<string, string>;
  /** Nodes that are not Ready, and since when (epoch ms; `null`: nobody says). */
  readonly notReady: ReadonlyMap<string, number | null>;
}

export interface LeaseJudge {
  /**
   * In the order of {@link LEASE_STATES}. Empty where the TTL was not asked for and nothing else is to be said. `now`: default the
   * scene's.
   */
  statesOf(record: LeaseRecord, silence?: Silence, now?: number): readonly LeaseState[];
  isThisHost(record: LeaseRecord): boolean;
}

/** Looks at all records once, then says of each what it is: O(n log n) for n records. */
export function leaseJudge(records: readonly LeaseRecord[], scene: LeaseScene): LeaseJudge {
  const facts = factsAbout(records, scene);
  const isThisHost = selfTest(scene.self);
  return {
    isThisHost,
    statesOf: (record, silence, now = scene.now) => {
      if (record.kind === 'malformed-key') return ['malformed'];
      const age = ageOf(record, scene, now);
      const isStale = age === 'overdue' && silence?.verdict === 'silent' && nodeOf(record, scene.nodes) === null;
      const found: LeaseState[] = age === null ? [] : [age];
      if (isStale) found.push('stale');
      if (isThisHost(record)) found.push('this-host');
      for (const { state, keys } of facts) if (keys.has(record.key)) found.push(state);
      return found.length < 2 ? found : LEASE_STATES.filter((state) => found.includes(state));
    },
  };
}

/** Seconds until the store drops the record; `null`: it never does; `undefined`: was not asked for. */
export function ttlSecondsOf(
  { expiresAt, etcdLease }: LeaseRecord,
  { now, storeKind }: Pick<LeaseScene, 'now' | 'storeKind'>,
): number | null | undefined {
  if (typeof expiresAt === 'number') return Math.max(0, Math.round((expiresAt - now) / 1000));
  // A key of etcd shows of itself whether it has a TTL.
  return expiresAt === undefined && storeKind === 'etcd' && etcdLease === null ? null : expiresAt;
}

/** Name of the Node that has one of the lease's public addresses, or that the store itself names; `null`: none is known. */
export function nodeOf(record: LeaseRecord, nodes: KnownNodes | null): string | null {
  if (record.node !== null || nodes === null || record.kind !== 'lease') return record.node;
  const { publicIp, publicIpv6 } = record.attributes;
  return nodes.nameOf.get(publicIp ?? '') ?? nodes.nameOf.get(publicIpv6 ?? '') ?? null;
}

function ageOf(record: LeaseRecord, scene: LeaseScene, now: number): LeaseState | null {
  if (scene.storeKind === 'kube') return scene.nodes?.notReady.has(record.node ?? '') ? 'overdue' : 'live';
  const ttlSeconds = ttlSecondsOf(record, { now, storeKind: scene.storeKind });
  if (ttlSeconds === null) return 'reservation';
  if (ttlSeconds === undefined) return null;
  return ttlSeconds < scene.marginSeconds ? 'overdue' : 'live';
}

interface FoundKeys {
  readonly state: LeaseState;
  readonly keys: ReadonlySet<string>;
}

function factsAbout(records: readonly LeaseRecord[], { config }: LeaseScene): readonly FoundKeys[] {
  const ranges = records.flatMap((record) => rangesOf(record).map((range) => ({ key: record.key, range })));
  return [
    { state: 'duplicate-ip', keys: sharing(records, publicIpsOf) },
    { state: 'duplicate-mac', keys: sharing(records, macsOf) },
    { state: 'overlap', keys: overlappingKeys(ranges) },
    { state: 'outside-network', keys: config === null ? new Set() : keysOutside(ranges, networksOf(config)) },
  ];
}

/** Keys of the records that have a value in common with another one; `null` is none. */
function sharing(
  records: readonly LeaseRecord[],
  valuesOf: (record: LeaseRecord) => readonly (string | null)[],
): ReadonlySet<string> {
  const first = new Map<string, string>();
  const keys = new Set<string>();
  for (const record of records) {
    for (const value of valuesOf(record)) {
      if (value === null) continue;
      const other = first.get(value);
      if (other === undefined) first.set(value, record.key);
      else keys.add(other).add(record.key);
    }
  }
  return keys;
}

function publicIpsOf(record: LeaseRecord): readonly (string | null)[] {
  return record.kind === 'lease' ? [record.attributes.publicIp, record.attributes.publicIpv6] : [];
}

/** One MAC on both devices of a host is one host's. */
function macsOf(record: LeaseRecord): readonly (string | null)[] {
  if (record.kind !== 'lease') return [];
  const { vtep, vtepV6 } = record.attributes;
  const mac = vtep?.mac ?? null;
  return vtepV6 === null || vtepV6.mac === mac ? [mac] : [mac, vtepV6.mac];
}

/** A family that is off has no network: every subnet of it lies outside. */
function networksOf({ enableIPv4, enableIPv6, network, ipv6Network }: NetworkConfig): readonly AddressRange[] {
  const wanted = [enableIPv4 ? network : null, enableIPv6 ? ipv6Network : null];
  return wanted.flatMap((text) => (text === null ? [] : (rangeOf(text) ?? [])));
}

function keysOutside(
  ranges: readonly { readonly key: string; readonly range: AddressRange }[],
  networks: readonly AddressRange[],
): ReadonlySet<string> {
  const outside = ranges.filter(({ range }) => !networks.some((network) => holds(network, range)));
  return new Set(outside.map(({ key }) => key));
}
