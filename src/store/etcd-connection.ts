import { getCACertificates } from 'node:tls';
import { noop } from 'cockatiel';
import {
  AuthClient,
  Etcd3,
  type ICallable,
  type IOptions,
  KVClient,
  LeaseClient,
  MaintenanceClient,
  WatchClient,
} from 'etcd3';
import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { isStaleToken } from './etcd-errors.ts';
import { waitForPort } from './etcd-port.ts';
import type { EtcdSelection, StoreSecrets } from './store.ts';

/** The raw clients of one endpoint. Keys and values are Buffers: a string in a bytes field is decoded as base64. */
export interface EtcdConnection {
  /** As given, without user and password. */
  readonly endpoint: string;
  readonly kv: KVClient;
  readonly lease: LeaseClient;
  readonly maintenance: MaintenanceClient;
  readonly watch: WatchClient;
  /** Resolves when the port has taken or refused a connection; see {@link waitForPort}. */
  reach(deadline: number): Promise<void>;
  close(): void;
}

export interface ConnectOptions {
  readonly selection: EtcdSelection;
  readonly host: Host;
  readonly secrets: StoreSecrets;
  readonly timeoutMs: number;
}

/** @throws {AbsentError} or {UnavailableError} when a TLS file cannot be read. Nothing is sent yet. */
export async function openConnections(options: ConnectOptions): Promise<readonly EtcdConnection[]> {
  const { endpoints } = options.selection;
  if (endpoints.length === 0) throw new UnavailableError('unreachable', 'no etcd endpoint is given');
  const tls = endpoints.some(isSecure) ? await readTls(options) : undefined;
  return endpoints.map((endpoint) => connect(endpoint, options, isSecure(endpoint) ? tls : undefined));
}

/** An endpoint as it may be shown. */
export function withoutUserInfo(endpoint: string): string {
  return endpoint.replace(/^([^/]*\/\/)[^/@]*@/, '$1');
}

type Credentials = NonNullable<IOptions['credentials']>;

/** etcd3's pool offers one client a service; what its fault handling would do (three tries, a breaker, resets) is passed by. */
class Channel extends Etcd3 {
  clientOf(service: Parameters<ICallable<unknown>['exec']>[0]) {
    return this.pool.withConnection(service, ({ client, metadata }) => ({ client, metadata }));
  }
}

type GrpcClient = Awaited<ReturnType<Channel['clientOf']>>['client'];

function connect(endpoint: string, options: ConnectOptions, credentials: Credentials | undefined): EtcdConnection {
  const channel = new Channel(channelOptions(endpoint, credentials));
  const clients = new Set<GrpcClient>();
  const closing = new AbortController();
  const plain = callable(channel, clients, NO_TOKENS);
  const calls = callable(channel, clients, tokensOf(options, plain));
  return {
    endpoint: withoutUserInfo(endpoint),
    kv: new KVClient(calls),
    lease: new LeaseClient(calls),
    maintenance: new MaintenanceClient(calls),
    watch: new WatchClient(calls),
    reach: (deadline) => waitForPort(addressOf(endpoint), { deadline, signal: closing.signal }),
    close: () => {
      closing.abort();
      for (const client of clients) client.close();
    },
  };
}

/** The token of one endpoint; `undefined`: there is no authentication. */
interface Tokens {
  take(options: CallOptions): Promise<string | undefined>;
  /** Only the first of many calls that were refused with it makes a new one: etcd takes some 70 ms to check a password. */
  drop(stale: string | undefined): void;
}

const NO_TOKENS: Tokens = { take: async () => undefined, drop: () => undefined };

function tokensOf({ selection, secrets }: ConnectOptions, plain: ICallable<unknown>): Tokens {
  const name = selection.username;
  const password = secrets.etcdPassword ?? '';
  // clientv3 authenticates only when it has both a name and a password
  if (name === '' || password === '') return NO_TOKENS;
  let current: string | undefined;
  let asking: Promise<string> | undefined;
  const ask = async (options: CallOptions) => {
    try {
      current = (await new AuthClient(plain).authenticate({ name, password }, options)).token;
      return current;
    } finally {
      asking = undefined;
    }
  };
  return {
    take: async (options) => {
      if (current !== undefined) return current;
      asking ??= ask(options);
      return asking;
    },
    drop: (stale) => {
      if (current === stale) current = undefined;
    },
  };
}

function callable(channel: Channel, clients: Set<GrpcClient>, tokens: Tokens): ICallable<unknown> {
  const open = async (service: ExecArguments[0], token: string | undefined) => {
    const { client, metadata } = await channel.clientOf(service);
    clients.add(client);
    if (token !== undefined) metadata.set('token', token);
    return { client, metadata };
  };
  const call = async <T>([service, method, params, options]: ExecArguments, token: string | undefined): Promise<T> => {
    const { client, metadata } = await open(service, token);
    return unaryCall<T>(client, method, [params, metadata, options ?? {}]);
  };
  return {
    callOptionsFactory: undefined,
    markFailed: () => undefined,
    withConnection: async (service, work) => {
      const { client, metadata } = await open(service, await tokens.take({}));
      // a member that loses its leader ends the stream instead of being silent (clientv3.WithRequireLeader)
      metadata.set('hasleader', 'true');
      return work({ resource: undefined, client, metadata });
    },
    exec: async <T>(...parts: ExecArguments): Promise<T> => {
      const token = await tokens.take(parts[3]);
      try {
        return await call<T>(parts, token);
      } catch (error) {
        if (!isStaleToken(error)) throw error;
        tokens.drop(token);
        return call<T>(parts, await tokens.take(parts[3]));
      }
    },
  };
}

type ExecArguments = Parameters<ICallable<unknown>['exec']>;
type CallOptions = ExecArguments[3];

/** The generated service client has its methods by name only; its answers were decoded by the schema of etcd's own .proto. */
function unaryCall<T>(client: GrpcClient, method: string, parts: readonly unknown[]): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const done = (error: Error | null, response: T) => (error === null ? resolve(response) : reject(error));
    Reflect.apply(Reflect.get(client, method), client, [...parts, done]);
  });
}

function channelOptions(endpoint: string, credentials: Credentials | undefined): IOptions {
  return {
    hosts: addressOf(endpoint),
    ...(credentials === undefined ? {} : { credentials }),
    faultHandling: { host: () => noop, global: noop },
    grpcOptions: {
      'grpc.max_receive_message_length': 64 << 20,
      // etcd closes connections that ping more often than every 5 s (--grpc-keepalive-min-time)
      'grpc.keepalive_time_ms': 6000,
      'grpc.keepalive_timeout_ms': 2000,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
      'grpc.enable_http_proxy': 0,
    },
  };
}

/** `10.0.0.1:2379` of `http://10.0.0.1:2379/`. */
function addressOf(endpoint: string): string {
  return endpoint.replace(/^[a-z]+:\/\/([^/@]*@)?/, '').replace(/\/+$/, '');
}

function isSecure(endpoint: string): boolean {
  return endpoint.startsWith('https:');
}

/** flannel takes the client certificate only together with its key (registry.go:newTlsConfig). */
async function readTls({ selection, host }: ConnectOptions): Promise<Credentials> {
  const { caFile, certFile, keyFile } = selection;
  const read = async (path: string) => Buffer.from(await host.readFile(path));
  const rootCertificate = caFile === '' ? systemCertificates() : await read(caFile);
  if (certFile === '' || keyFile === '') return { rootCertificate };
  return { rootCertificate, certChain: await read(certFile), privateKey: await read(keyFile) };
}

function systemCertificates(): Buffer {
  const system = getCACertificates('system');
  return Buffer.from((system.length > 0 ? system : getCACertificates('default')).join('\n'));
}
