import { getCACertificates } from 'node:tls';
import { noop } from 'cockatiel';
import { AuthClient, Etcd3, type ICallable, type IOptions, KVClient, LeaseClient } from 'etcd3';
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

function connect(
  endpoint: string,
  { selection, secrets }: ConnectOptions,
  credentials: Credentials | undefined,
): EtcdConnection {
  const channel = new Channel(channelOptions(endpoint, credentials));
  const clients = new Set<GrpcClient>();
  const closing = new AbortController();
  const plain = callable(channel, clients, async () => undefined);
  const name = selection.username;
  const password = secrets.etcdPassword ?? '';
  let token: Promise<string> | undefined;
  const authenticate = async (options: CallOptions) =>
    (await new AuthClient(plain).authenticate({ name, password }, options)).token;
  const tokenOf = async (isStale: boolean, options: CallOptions) => {
    // clientv3 authenticates only when it has both a name and a password
    if (name === '' || password === '') return undefined;
    if (isStale || token === undefined) token = authenticate(options);
    try {
      return await token;
    } catch (error) {
      token = undefined;
      throw error;
    }
  };
  const calls = callable(channel, clients, tokenOf);
  return {
    endpoint: withoutUserInfo(endpoint),
    kv: new KVClient(calls),
    lease: new LeaseClient(calls),
    reach: (deadline) => waitForPort(addressOf(endpoint), { deadline, signal: closing.signal }),
    close: () => {
      closing.abort();
      for (const client of clients) client.close();
    },
  };
}

function callable(
  channel: Channel,
  clients: Set<GrpcClient>,
  tokenOf: (isStale: boolean, options: CallOptions) => Promise<string | undefined>,
): ICallable<unknown> {
  const call = async <T>(isRetry: boolean, ...[service, method, params, options]: ExecArguments): Promise<T> => {
    const token = await tokenOf(isRetry, options);
    const { client, metadata } = await channel.clientOf(service);
    clients.add(client);
    if (token !== undefined) metadata.set('token', token);
    return unaryCall<T>(client, method, [params, metadata, options ?? {}]);
  };
  return {
    callOptionsFactory: undefined,
    withConnection: () => Promise.reject(new TypeError('no streams are opened here')),
    markFailed: () => undefined,
    exec: async <T>(...parts: ExecArguments): Promise<T> => {
      try {
        return await call<T>(false, ...parts);
      } catch (error) {
        if (!isStaleToken(error)) throw error;
        return call<T>(true, ...parts);
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
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 3000,
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
