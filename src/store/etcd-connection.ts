import { getCACertificates } from 'node:tls';
import type { IWatchCreateRequest, IWatchResponse } from 'etcd3';
// its index would load grpc-js, which nobody asks for anything here
import { AuthClient, type ICallable, KVClient, LeaseClient, MaintenanceClient } from 'etcd3/lib/rpc.js';
import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { callOnce, type EtcdStream, openStream } from './etcd-call.ts';
import { type ChannelOptions, type EtcdChannel, openChannel } from './etcd-channel.ts';
import { isStaleToken } from './etcd-errors.ts';
import { methodOf } from './etcd-protocol.ts';
import type { EtcdSelection, StoreSecrets } from './store.ts';

/** etcd3's clients of one endpoint, over a channel of our own. Keys and values are Buffers: a string in a bytes field is decoded as base64. */
export interface EtcdConnection {
  /** As given, without user and password. */
  readonly endpoint: string;
  readonly kv: KVClient;
  readonly lease: LeaseClient;
  readonly maintenance: MaintenanceClient;
  /** Begins a watch; see {@link EtcdStream}. */
  watch(request: IWatchCreateRequest): Promise<EtcdWatchCall>;
  close(): void;
}

export interface EtcdWatchCall {
  messages(): AsyncGenerator<IWatchResponse>;
  cancel(): void;
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
  const tls = endpoints.some(isSecure) ? await readTls(options) : {};
  return endpoints.map((endpoint) => connect(endpoint, options, isSecure(endpoint) ? tls : {}));
}

/** An endpoint as it may be shown. */
export function withoutUserInfo(endpoint: string): string {
  return endpoint.replace(/^([^/]*\/\/)[^/@]*@/, '$1');
}

type Credentials = ChannelOptions['tls'];

function connect(endpoint: string, options: ConnectOptions, tls: Credentials): EtcdConnection {
  const channel = openChannel({ isSecure: isSecure(endpoint), address: addressOf(endpoint), tls });
  const tokens = tokensOf(options, callable(channel, NO_TOKENS));
  const calls = callable(channel, tokens);
  return {
    endpoint: withoutUserInfo(endpoint),
    kv: new KVClient(calls),
    lease: new LeaseClient(calls),
    maintenance: new MaintenanceClient(calls),
    watch: async (request) => {
      const token = await tokens.take({ deadline: Date.now() + options.timeoutMs });
      return openWatch(channel, request, token);
    },
    close: () => channel.close(),
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

/** etcd counts the life of a token in whole seconds: one that should live for one second may be over when it arrives. */
const TOKEN_TRIES = 3;

/** What etcd3's clients call. Its own has three tries, a breaker and resets, which are for us to decide on. */
function callable(channel: EtcdChannel, tokens: Tokens): ICallable<unknown> {
  const call = async <T>([service, name, params, options]: ExecArguments, token: string | undefined): Promise<T> => {
    const { path, encode, decode } = methodOf(service, name);
    const message = encode(Object(params));
    const deadline = Number(options?.deadline ?? Number.POSITIVE_INFINITY);
    const answer = await callOnce(channel, { path, message, metadata: metadataOf(token) }, deadline);
    // decoded by the schema of etcd's own .proto, which is what etcd3's types were made from
    return decode(answer) as T;
  };
  return {
    callOptionsFactory: undefined,
    markFailed: () => undefined,
    withConnection: () => Promise.reject(new TypeError('streams are opened by openWatch')),
    exec: async <T>(...parts: ExecArguments): Promise<T> => {
      for (let left = TOKEN_TRIES; ; left -= 1) {
        const token = await tokens.take(parts[3]);
        try {
          return await call<T>(parts, token);
        } catch (error) {
          if (!isStaleToken(error) || left <= 1) throw error;
          tokens.drop(token);
        }
      }
    },
  };
}

type ExecArguments = Parameters<ICallable<unknown>['exec']>;
type CallOptions = ExecArguments[3];

function metadataOf(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { token };
}

async function openWatch(
  channel: EtcdChannel,
  request: IWatchCreateRequest,
  token: string | undefined,
): Promise<EtcdWatchCall> {
  const { path, encode, decode } = methodOf('Watch', 'watch');
  const message = encode({ create_request: request });
  // a member that loses its leader ends the stream instead of being silent (clientv3.WithRequireLeader)
  const metadata = { ...metadataOf(token), hasleader: 'true' };
  const stream = await openStream(channel, { path, message, metadata });
  return { messages: () => decoded(stream, decode), cancel: () => stream.cancel() };
}

async function* decoded(stream: EtcdStream, decode: (bytes: Buffer) => object): AsyncGenerator<IWatchResponse> {
  for await (const message of stream.messages()) yield decode(message) as IWatchResponse;
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
  const ca = caFile === '' ? systemCertificates() : await read(caFile);
  if (certFile === '' || keyFile === '') return { ca };
  return { ca, cert: await read(certFile), key: await read(keyFile) };
}

function systemCertificates(): Buffer {
  const system = getCACertificates('system');
  return Buffer.from((system.length > 0 ? system : getCACertificates('default')).join('\n'));
}
