import { connect, createServer, type Socket } from 'node:net';

export interface RelayOptions {
  readonly from: { readonly host: string; readonly port: number };
  readonly to: { readonly host: string; readonly port: number };
  /** Every piece of data is held back for so long, in both directions. */
  readonly delayMs: number;
}

/** Passes TCP connections on, late. Resolves when it listens; goes on until `signal` fires. */
export function relayTcp({ from, to, delayMs }: RelayOptions, signal: AbortSignal): Promise<void> {
  const pass = (source: Socket, target: Socket) => {
    source.on('data', (bytes) => setTimeout(() => target.write(bytes), delayMs));
    source.on('error', () => target.destroy());
    // What was sent before the end is still on its way.
    source.on('close', () => setTimeout(() => target.end(), delayMs));
  };
  const server = createServer((client) => {
    const upstream = connect(to);
    pass(client, upstream);
    pass(upstream, client);
  });
  signal.addEventListener('abort', () => server.close(), { once: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(from, resolve);
  });
}
