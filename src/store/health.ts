/** What is wrong between here and an endpoint that should speak, or turns out to speak, TLS. */
export type TlsProblem =
  /** Its certificate is signed by none of the authorities that flannel trusts. */
  | 'unknown-authority'
  /** The same, and only because flannel ignores `--etcd-cafile` without certificate and key (registry.go:newTlsConfig). */
  | 'ca-ignored'
  | 'other-name'
  /** Expired, or not valid yet. */
  | 'out-of-date'
  /** https is asked of a port that speaks plain HTTP. */
  | 'plain-port'
  /** http is asked of a port that speaks TLS. */
  | 'tls-port'
  /** It wants a client certificate, or refuses ours. */
  | 'client-certificate'
  /** One of our TLS files cannot be used: missing, not to be read, not in PEM, or a key of another certificate. */
  | 'own-files'
  | 'handshake';

/** A certificate as far as it tells why it is refused. */
export interface CertificateView {
  readonly subject: string;
  readonly issuer: string;
  /** `IP Address:10.0.0.1, DNS:etcd-1`. */
  readonly names: string;
  /** Epoch ms. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** What one endpoint did. Words go on after the endpoint's name: `refused the connection`. */
export type EndpointOutcome =
  /** A linearizable read of one key, as flannel reads, was answered. */
  | { readonly kind: 'answers' }
  /** etcd answered that we may not. */
  | { readonly kind: 'denied'; readonly words: string }
  /** It answers from its own copy, but has no leader: the cluster has lost its quorum. */
  | { readonly kind: 'no-quorum'; readonly words: string }
  /** It answers from its own copy and has a leader, but a linearizable read took longer than `waitedMs`. */
  | { readonly kind: 'late'; readonly words: string; readonly waitedMs: number }
  | {
      readonly kind: 'tls';
      readonly words: string;
      readonly problem: TlsProblem;
      /** Of the endpoint; `null`: none was seen. */
      readonly certificate: CertificateView | null;
    }
  | { readonly kind: 'refused' | 'silent' | 'no-route' | 'unresolved' | 'not-etcd'; readonly words: string };

export interface EndpointLook {
  /** As given, without user and password. */
  readonly endpoint: string;
  readonly outcome: EndpointOutcome;
}

/** Something that flannel does with its datastore and that this user may not. */
export interface Denial {
  readonly action: 'list-leases' | 'write-leases';
  readonly words: string;
}

export interface EtcdAccess {
  readonly endpoint: string;
  readonly denials: readonly Denial[];
}

export interface EtcdAlarms {
  readonly endpoint: string;
  /** Each once, as etcd names them: `NOSPACE`, `CORRUPT`. */
  readonly alarms: readonly string[];
  /** Of the member that was asked; `null`: it does not tell (with authentication it tells only root). */
  readonly databaseBytes: number | null;
}

/** What the v2 API holds under the same prefix. */
export type V2Look =
  /** No endpoint offers that API: etcd 3.6 and newer, and older ones without `--enable-v2`. */
  | { readonly kind: 'not-offered' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'found'; readonly endpoint: string; readonly config: string };

/**
 * How etcd is, endpoint by endpoint: what the leases alone do not tell. Nothing here writes.
 * Every method but `endpoints`: @throws {UnavailableError} naming the endpoint.
 */
export interface EtcdHealth {
  /** Every endpoint, all at once, in the order given. Whatever an endpoint does is a value. */
  endpoints(): Promise<readonly EndpointLook[]>;
  /** Whether this user may list and write leases, as etcd itself judges; see the adapter for how that is asked without writing. */
  access(): Promise<EtcdAccess>;
  alarms(): Promise<EtcdAlarms>;
  v2Config(): Promise<V2Look>;
  /** Those of the keys that exist and that we may read. */
  existing(keys: readonly string[]): Promise<readonly string[]>;
  /**
   * Milliseconds that each of several linearizable one-key reads waited for its answer, one after the other on one connection.
   * At least one; fewer than `count` when `budgetMs` is over.
   */
  readTimes(count: number, budgetMs: number): Promise<readonly number[]>;
  close(): Promise<void>;
}
