import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { UnavailableError } from '../errors.ts';
import type { UdpDatagram, UdpExchange, UdpExchanged, UdpReceived } from './host.ts';
import { errorCode } from './live-errors.ts';

const MAX_RECEIVED = 65_536;
const MAX_BYTES = 2048;
/** Sent without a pause; more at once would only fill the socket's own buffer. */
const BURST = 128;

/** Sends every datagram from one port, several times, and gathers what comes to that port meanwhile. */
export async function exchangeUdp(request: UdpExchange): Promise<UdpExchanged> {
  const payloads = request.datagrams.map(checked);
  const socket = createSocket('udp4');
  try {
    await bind(socket, request.localPort);
    const received = gather(socket);
    const refused = await sendAll(socket, request, payloads);
    await pause(request.timeoutMs);
    return { received, refused };
  } finally {
    socket.removeAllListeners('message');
    socket.close();
  }
}

function bind(socket: Socket, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => reject(bindFailure(error, port)));
    socket.bind({ port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      // The ICMP errors of one address must not end the exchange with the others.
      socket.on('error', () => undefined);
      resolve();
    });
  });
}

/** vxlan's own socket holds its port without an owner that a process could be found for (net/ipv4/udp_tunnel_core.c). */
function bindFailure(error: Error, port: number): UnavailableError {
  const code = errorCode(error);
  if (code === 'EACCES' || code === 'EPERM')
    return new UnavailableError('permission', `udp port ${port} may not be bound`, { cause: error });
  const why = code === 'EADDRINUSE' ? 'is taken on this host' : `cannot be bound: ${error.message}`;
  return new UnavailableError('unsupported', `udp port ${port} ${why}`, { cause: error });
}

function gather(socket: Socket): readonly UdpReceived[] {
  const received: UdpReceived[] = [];
  socket.on('message', (bytes, { address }) => {
    if (bytes.length <= MAX_BYTES && received.length < MAX_RECEIVED)
      received.push({ address, payloadHex: bytes.toString('hex') });
  });
  return received;
}

async function sendAll(
  socket: Socket,
  { datagrams, tries, intervalMs }: UdpExchange,
  payloads: readonly Buffer[],
): Promise<Readonly<Record<string, string>>> {
  const refused: Record<string, string> = {};
  for (let turn = 0; turn < tries; turn += 1) {
    if (turn > 0) await pause(intervalMs);
    for (let from = 0; from < datagrams.length; from += BURST) {
      const burst = datagrams.slice(from, from + BURST);
      await Promise.all(
        burst.map(async ({ address, port }, at) => {
          const code = await send(socket, payloads[from + at] ?? Buffer.alloc(0), { address, port });
          if (code !== undefined) refused[address] = code;
        }),
      );
    }
  }
  return refused;
}

/** The name of the kernel's error; `undefined`: it left. */
function send(
  socket: Socket,
  payload: Buffer,
  { address, port }: Pick<UdpDatagram, 'address' | 'port'>,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    socket.send(payload, port, address, (error) => resolve(error === null ? undefined : errorCode(error) || 'EIO'));
  });
}

function checked({ address, port, payloadHex }: UdpDatagram): Buffer {
  if (!isIPv4(address)) throw new UnavailableError('malformed', `${JSON.stringify(address)} is no IPv4 address`);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new UnavailableError('malformed', `${port} is no port`);
  }
  if (/^([0-9a-f]{2})*$/i.test(payloadHex)) return Buffer.from(payloadHex, 'hex');
  throw new UnavailableError('malformed', 'the payload is not in hexadecimal digits');
}
