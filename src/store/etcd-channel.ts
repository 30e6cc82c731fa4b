import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import { isIP, connect as openSocket, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type ConnectionOptions, connect as openSecureSocket } from 'node:tls';
import { notConnected, STATUS, StatusError } from './etcd-status.ts';

export interface ChannelOptions {
  readonly isSecure: boolean;
  /** `10.0.0.1:2379` */
  readonly address: string;
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;
}

/** The HTTP/2 connection to one endpoint: made for the first call, and anew for the first one after it was lost. */
export interface EtcdChannel {
  /** @throws {StatusError} when there is no connection and none can be made. Waits for ever where nobody answers at all. */
  request(headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream>;
  close(): void;
}

/** What etcd may send before it is read: of one answer, and of all together. */
const STREAM_WINDOW_BYTES = 1 << 20;
const CONNECTION_WINDOW_BYTES = 4 << 20;

/** While calls wait, the other end is asked whether it is there; etcd refuses to be asked more often than every 5 s. */
const PING_EVERY_MS = 6000;
const PING_TAKES_MS = 4000;

export function openChannel(options: ChannelOptions): EtcdChannel {
  let current: Connection | undefined;
  let isClosed = false;
  return {
    request: async (headers) => {
      if (isClosed) throw notConnected(new Error('the client was closed'));
      if (current !== undefined && isStranded(current)) current.session.destroy(stranded());
      if (current === undefined || isOver(current.session)) current = connectTo(options);
      return requestOn(current, headers);
    },
    close: () => {
      isClosed = true;
      current?.session.destroy();
      // a session that is destroyed leaves an attempt to connect alone, for minutes
      current?.socket.destroy();
    },
  };
}

interface Connection {
  readonly socket: Socket;
  readonly session: ClientHttp2Session;
  readonly connected: Promise<void>;
  callsUnderWay: number;
  /** When it was last asked whether its address is still this host's; monotonic ms. */
  lookedAt: number;
}

function isOver({ closed, destroyed }: ClientHttp2Session): boolean {
  return closed || destroyed;
}

/** A call may be one of thousands. */
const LOOK_EVERY_MS = 1000;

/** A host that has changed its address hears no answer on a connection from the old one, and no error either. */
function isStranded(connection: Connection): boolean {
  const now = performance.now();
  const { localAddress } = connection.socket;
  if (now - connection.lookedAt < LOOK_EVERY_MS || localAddress === undefined) return false;
  connection.lookedAt = now;
  const plain = localAddress.replace(/^::ffff:|%.*$/g, '');
  return !Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === plain));
}

function stranded(): StatusError {
  return new StatusError(STATUS.unavailable, 'Connection dropped: its address is no longer one of this host');
}

async function requestOn(connection: Connection, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
  const { session, connected } = connection;
  if (session.connecting) await connected;
  if (isOver(session)) throw notConnected(new Error('the connection was closed'));
  const stream = session.request(headers);
  connection.callsUnderWay += 1;
  stream.once('close', () => {
    connection.callsUnderWay -= 1;
  });
  return stream;
}

function connectTo(options: ChannelOptions): Connection {
  const socket = dial(options);
  const settings = { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES };
  const session = connect(`${options.isSecure ? 'https' : 'http'}://${options.address}`, {
    createConnection: () => socket,
    settings,
  });
  const { promise: connected, resolve, reject } = Promise.withResolvers<void>();
  const connection: Connection = { socket, session, connected, callsUnderWay: 0, lookedAt: performance.now() };
  session.once('connect', () => {
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    askWhetherThere(connection);
    resolve();
  });
  // calls that are under way hear of it by their own streams
  session.on('error', (error) => reject(notConnected(error)));
  session.once('close', () => reject(notConnected(new Error('the connection was closed'))));
  // the call that made it may have given up
  connected.catch(() => undefined);
  return connection;
}

/** @throws {StatusError} when the address has no port. */
function dial({ isSecure, address, tls }: ChannelOptions): Socket {
  // a scheme of its own, because a URL leaves out the port that its scheme always has
  const url = URL.canParse(`etcd://${address}`) ? new URL(`etcd://${address}`) : undefined;
  if (url === undefined || url.port === '') throw notConnected(new Error(`missing port in address ${address}`));
  const target = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) };
  if (!isSecure) return openSocket(target);
  // an address is no server name (RFC 6066 §3); it is compared with the certificate all the same
  const servername = isIP(target.host) === 0 ? target.host : '';
  return openSecureSocket({ ...target, ...tls, servername, ALPNProtocols: ['h2'] });
}

/** A connection whose other end went away without a word would leave a watch waiting for ever. */
function askWhetherThere(connection: Connection): void {
  const { session } = connection;
  const timer = setInterval(() => {
    if (connection.callsUnderWay === 0) return;
    let isAnswered = false;
    const giveUp = () => {
      if (!isAnswered) session.destroy(noAnswer());
    };
    // On a host that is short of processor time the answer may lie there unread: what has come in is read first.
    const late = setTimeout(() => setImmediate(giveUp), PING_TAKES_MS);
    session.ping(() => {
      isAnswered = true;
      clearTimeout(late);
    });
  }, PING_EVERY_MS).unref();
  session.once('close', () => clearInterval(timer));
}

function noAnswer(): StatusError {
  return new StatusError(STATUS.unavailable, 'Connection dropped: no answer to a ping');
}
