import type { UnavailableError } from '../errors.ts';
import type { AssignedLease, OwnNode } from './assigned.ts';

/** Attributes a node publishes with its lease (`flannel pkg/lease.LeaseAttrs`). */
export interface LeaseAttributes {
  /** Tunnel endpoint, IPv4; `null` on an IPv6-only node. */
  readonly publicIp: string | null;
  readonly publicIpv6: string | null;
  /** Lower case; `''` for backends that publish none (udp, alloc). */
  readonly backendType: string;
  /** The VTEP of flannel.N; `null` when the backend is not vxlan or its data does not parse. */
  readonly vtep: Vtep | null;
  /** The VTEP of flannel-v6.N. */
  readonly vtepV6: Vtep | null;
  /** BackendData as published, for backends we do not know. Plain JSON. */
  readonly backendData: unknown;
  readonly backendV6Data: unknown;
}

export interface Vtep {
  readonly vni: number;
  /** Lower case, colons. */
  readonly mac: string;
}

interface LeaseBase {
  /** The key below `<prefix>/subnets/` (etcd), the node's name (kube). */
  readonly key: string;
  /** Epoch ms; `null`: the store never expires it (a reservation, or kube); `undefined`: was not asked for. */
  readonly expiresAt: number | null | undefined;
  /** Decimal or hexadecimal text as etcd prints it; `null`: no etcd lease is attached. */
  readonly etcdLease: string | null;
  /** Opaque; a write compares it. etcd: mod_revision, kube: resourceVersion, file: counter. */
  readonly modRevision: string;
  /** Node name where the store knows one (kube). */
  readonly node: string | null;
}

/** A record whose key and value both parse. */
export interface Lease extends LeaseBase {
  readonly kind: 'lease';
  /** Network in CIDR notation, `10.244.7.0/24`; `null` on an IPv6-only lease. */
  readonly subnet: string | null;
  readonly ipv6Subnet: string | null;
  readonly attributes: LeaseAttributes;
}

/** A valid subnet key whose value does not parse; flannel ignores it, its subnet is taken all the same. */
export interface UnreadableLease extends LeaseBase {
  readonly kind: 'unreadable-value';
  readonly subnet: string | null;
  readonly ipv6Subnet: string | null;
  /** At most 200 characters, control characters escaped. */
  readonly value: string;
  readonly reason: string;
}

/** A key that flannel's own parser refuses. */
export interface MalformedLease extends LeaseBase {
  readonly kind: 'malformed-key';
  readonly value: string;
  readonly reason: string;
}

export type LeaseRecord = Lease | UnreadableLease | MalformedLease;

/** All records of one revision, read to the end. A listing that failed half-way is an error, never a short list. */
export interface LeaseListing {
  readonly records: readonly LeaseRecord[];
  readonly revision: string;
  /** etcd's cluster id; `null` where the store has none. */
  readonly clusterId: string | null;
  /** Where it was read: `etcd http://10.0.0.1:2379 /coreos.com/network`. */
  readonly source: string;
}

export interface StoredNetworkConfig {
  /** The JSON text as stored. */
  readonly text: string;
  readonly modRevision: string;
  /** A command or path the reader can repeat: `etcdctl get /coreos.com/network/config`. */
  readonly source: string;
}

export interface AcquireRequest {
  readonly attributes: LeaseAttributes;
  /** FLANNEL_SUBNET of subnet.env as network, when there is one: taken again if nobody holds it. */
  readonly previousSubnet?: string;
  readonly previousIpv6Subnet?: string;
  /** A listing read just now, which saves reading it for the first try. Whoever wrote since is not overlooked: every write compares. */
  readonly listing?: LeasePage;
}

/**
 * Where subnet leases live. One contract suite runs over etcd, kube and file.
 * Every method: @throws {UnavailableError} naming the endpoint: `unreachable`, `timeout`, `permission`, `malformed`.
 */
export interface SubnetStore {
  readonly kind: 'etcd' | 'kube' | 'file';
  /** For a person: `etcd http://10.0.0.1:2379 /coreos.com/network`. Without secrets. */
  readonly description: string;
  /** @throws {AbsentError} when there is none. */
  readNetworkConfig(): Promise<StoredNetworkConfig>;
  /**
   * Writes only when the stored revision is still `expectedRevision` (`null`: only when there is none).
   * @throws {ConflictError} when it is not.
   */
  writeNetworkConfig(text: string, expectedRevision: string | null): Promise<StoredNetworkConfig>;
  /** Never one round trip after the other. */
  listLeases(options?: ListOptions): Promise<LeaseListing>;
  /**
   * The records of a listing with the time they have now, also where they are gone meanwhile: one whose time is over ends now.
   * `onPage` as {@link ListOptions} has it.
   */
  readTimes(listing: LeasePage, onPage?: (page: LeasePage) => void): Promise<readonly LeaseRecord[]>;
  /**
   * Own lease by public IP, else the previous subnet, else a free one; as flannel does, but every write compares.
   * @throws {ConflictError} when another host took it meanwhile; {AbsentError} `out of subnets`.
   */
  acquire(request: AcquireRequest): Promise<Lease>;
  /** Of a datastore that gives this host its subnet by itself (Kubernetes); left out: `acquire` chooses one. */
  readonly assigned?: AssignedLease;
  /**
   * Renews a lease as flannel does (a fresh etcd lease of 24 h and a Put), comparing `modRevision`; never LeaseKeepAlive.
   * `attributes` replaces what is published. A reservation stays one.
   * @throws {ConflictError} when the record is no longer at that revision, or is gone.
   */
  renew(lease: Lease, attributes: LeaseAttributes): Promise<Lease>;
  /**
   * Deletes one record in a transaction that compares `modRevision` and `etcdLease`, right after its TTL was read again.
   * Never the configuration, never by prefix, never by revoking an etcd lease.
   * @throws {ConflictError} when the record changed since, or `unlessTtlAboveSeconds` is set and more than that is left now.
   */
  remove(record: LeaseRecord, options?: { readonly unlessTtlAboveSeconds?: number }): Promise<void>;
  /** Every record with its bytes, or those asked for, and the configuration, in one revision: what a backup holds. */
  dump(options?: DumpOptions): Promise<StoreDump>;
  /**
   * Puts one record back where nothing took its place: no record with the same key (compared in the transaction), and, as read
   * in the same revision that the transaction compares, no overlapping subnet, no same public IP, no same VTEP MAC.
   * @throws {ConflictError} naming what took its place.
   */
  putBack(record: DumpedRecord, ttlSeconds: number | null): Promise<LeaseRecord>;
  /**
   * A snapshot first, and again after every gap (reconnect, leader loss, compaction, restart); in between single changes.
   * Ends when `signal` aborts; any other end is an error. @throws {UnavailableError} only when the very first snapshot cannot be read.
   */
  watch(signal: AbortSignal, options?: WatchOptions): AsyncIterable<StoreEvent>;
  close(): Promise<void>;
}

export interface ListOptions {
  /** `false` leaves `expiresAt` undefined and saves the reads; default `true`. */
  readonly ttl?: boolean;
  /**
   * Told of the records page by page, in the order of the listing, while the rest is still read. A page of another revision
   * than the one before it: the listing began again, because the store had dropped that revision; forget the earlier pages.
   */
  readonly onPage?: (page: LeasePage) => void;
}

export interface LeasePage {
  readonly records: readonly LeaseRecord[];
  readonly revision: string;
}

export interface WatchOptions {
  /** `false` leaves `expiresAt` undefined and saves a call for each record and each change; default `true`. */
  readonly ttl?: boolean;
  /** Told each time the store cannot be followed for a while; the watch goes on trying. */
  readonly onInterruption?: (error: UnavailableError) => void;
}

/** One change of the leases. Records are as {@link SubnetStore.listLeases} has them, with their TTL. */
export type StoreEvent =
  | {
      readonly type: 'snapshot';
      readonly listing: LeaseListing /** Why again: `compacted`, `reconnected`, `restored` (the store went back to an earlier time); `null`: the first. */;
      readonly because: string | null;
    }
  | { readonly type: 'put'; readonly record: LeaseRecord; readonly revision: string }
  | { readonly type: 'delete'; readonly key: string; readonly revision: string };

/** A record as stored, byte for byte. */
export interface DumpedRecord {
  /** As {@link LeaseRecord} names it. */
  readonly key: string;
  readonly valueBase64: string;
  readonly modRevision: string;
  readonly etcdLease: string | null;
  /** Seconds left when it was read; `null`: no TTL. */
  readonly ttlSeconds: number | null;
}

export interface DumpOptions {
  /** Keys as {@link LeaseRecord} names them; the times of others are not read. Default: all. */
  readonly keys?: ReadonlySet<string>;
}

export interface StoreDump {
  readonly revision: string;
  readonly clusterId: string | null;
  /** `/coreos.com/network`; of the file store its path. */
  readonly prefix: string;
  readonly config: string | null;
  readonly records: readonly DumpedRecord[];
}

/** Which datastore, and how to reach it. No secret: passwords travel in {@link StoreSecrets}. */
export type StoreSelection = EtcdSelection | KubeSelection | FileSelection;

export interface EtcdSelection {
  readonly kind: 'etcd';
  /** URLs as given: `http://10.0.0.1:2379`. */
  readonly endpoints: readonly string[];
  /** Without trailing slash: `/coreos.com/network`. One without a leading slash is another place. */
  readonly prefix: string;
  /** Paths on the host; `''`: none. */
  readonly keyFile: string;
  readonly certFile: string;
  readonly caFile: string;
  readonly username: string;
}

export interface KubeSelection {
  readonly kind: 'kube';
  /** `''`: from the kubeconfig, or in-cluster. */
  readonly apiUrl: string;
  readonly kubeconfigFile: string;
  readonly context: string;
  /** `flannel.alpha.coreos.com`. */
  readonly annotationPrefix: string;
  /** Path of net-conf.json on the host. */
  readonly netConfigPath: string;
  /** This host's Node, whose lease may be written; left out: nothing is written. */
  readonly node?: OwnNode;
  /** Directory on the host with `token` and `ca.crt` of flanneld's own service account: its way in when it runs in a pod. */
  readonly serviceAccountDir?: string;
}

/** One JSON file, or a directory that holds `leases.json`: what the drill uses, chosen by an endpoint `file:///PATH`. */
export interface FileSelection {
  readonly kind: 'file';
  readonly path: string;
}

export interface StoreSecrets {
  readonly etcdPassword?: string;
}
