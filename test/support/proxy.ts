import { connect, createServer, type Socket } from 'node:net';

/** What the proxy does with bytes; `stalled` keeps every connection open and passes nothing on. */
export type ProxyMode = 'open' | 'stalled' | 'stalled-to-server' | 'stalled-to-client';

export interface TcpProxy {
  readonly port: number;
  /** Connections taken so far. */
  readonly connections: number;
  /** Bytes that the server has sent so far. */
  readonly bytesToClient: number;
  set(mode: ProxyMode): void;
  /** Holds every piece of data back for so long, in both directions. */
  delay(ms: number): void;
  /** Sees every piece of data on its way to the server before it is passed on, or not: what `spy` sets holds for it already. */
  spy(spy: (bytes: Buffer) => void): void;
  /** Cuts all connections with a reset. */
  cut(): void;
  close(): Promise<void>;
}

/** A TCP proxy on the loopback that can stall one direction or both. `target`: a port of the loopback. */
export async function startProxy(target: number, mode: ProxyMode = 'open'): Promise<TcpProxy> {
  let current = mode;
  let connections = 0;
  let bytesToClient = 0;
  let delayMs = 0;
  let look: (bytes: Buffer) => void = () => undefined;
  const later = (work: () => void) => (delayMs === 0 ? work() : setTimeout(work, delayMs));
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    connections += 1;
    track(client);
    const upstream = track(connect(target, '127.0.0.1'));
    client.on('data', (bytes) => {
      look(bytes);
      if (passes(current, 'to-server')) later(() => upstream.write(bytes));
    });
    upstream.on('data', (bytes) => {
      bytesToClient += bytes.length;
      if (passes(current, 'to-client')) later(() => client.write(bytes));
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get connections() {
      return connections;
    },
    get bytesToClient() {
      return bytesToClient;
    },
    set: (next) => {
      current = next;
    },
    delay: (ms) => {
      delayMs = ms;
    },
    spy: (spy) => {
      look = spy;
    },
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function passes(mode: ProxyMode, direction: 'to-server' | 'to-client'): boolean {
  return mode === 'open' || (mode !== 'stalled' && mode !== `stalled-${direction}`);
}
