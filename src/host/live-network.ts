import { createSocket } from 'node:dgram';
import { connect, isIP } from 'node:net';
import { UnavailableError } from '../errors.ts';
import type { ConnectOutcome, ConnectTarget, UdpOutcome, UdpTarget } from './host.ts';
import { errorCode } from './live-errors.ts';

/** One TCP handshake, closed at once. */
export function connectTcp(target: ConnectTarget): Promise<ConnectOutcome> {
  return new Promise((resolve, reject) => {
    assertTarget(target);
    const socket = connect({ host: target.address, port: target.port });
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      socket.removeAllListeners();
      // An error that is already on its way must not become an uncaught one.
      socket.on('error', () => undefined);
      socket.destroy();
      settle();
    };
    const timer = setTimeout(() => finish(() => resolve('silent')), target.timeoutMs);
    socket.once('connect', () => finish(() => resolve('open')));
    socket.once('error', (error) => {
      const outcome = tcpOutcome(errorCode(error));
      finish(() => (outcome === undefined ? reject(unsupported(target, error)) : resolve(outcome)));
    });
  });
}

/** One datagram from a connected socket: only such a socket is told of an ICMP answer (udp(7)). */
export function sendUdp(target: UdpTarget): Promise<UdpOutcome> {
  return new Promise((resolve, reject) => {
    assertTarget(target);
    const payload = payloadOf(target);
    const socket = createSocket(isIP(target.address) === 6 ? 'udp6' : 'udp4');
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      socket.close();
      settle();
    };
    const fail = (error: Error) => {
      const outcome = udpOutcome(errorCode(error));
      finish(() => (outcome === undefined ? reject(unsupported(target, error)) : resolve(outcome)));
    };
    const timer = setTimeout(() => finish(() => resolve('silent')), target.timeoutMs);
    socket.once('error', fail);
    socket.once('message', () => finish(() => resolve('answered')));
    socket.once('connect', () => socket.send(payload, (error) => (error === null ? undefined : fail(error))));
    socket.connect(target.port, target.address);
  });
}

function tcpOutcome(code: string): ConnectOutcome | undefined {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return 'refused';
    case 'ETIMEDOUT':
      return 'silent';
    default:
      return isUnreachable(code) || isProhibited(code) ? 'unreachable' : undefined;
  }
}

function udpOutcome(code: string): UdpOutcome | undefined {
  if (code === 'ECONNREFUSED') return 'refused';
  if (isProhibited(code)) return 'prohibited';
  return isUnreachable(code) ? 'unreachable' : undefined;
}

/** A local packet filter (EPERM), or a `prohibit` route or ICMP administratively prohibited (EACCES). */
function isProhibited(code: string): boolean {
  return code === 'EPERM' || code === 'EACCES';
}

function isUnreachable(code: string): boolean {
  return ['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'EADDRNOTAVAIL', 'EINVAL'].includes(code);
}

function assertTarget({ address, port }: ConnectTarget): void {
  if (isIP(address) === 0) throw new UnavailableError('malformed', `${JSON.stringify(address)} is no address`);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new UnavailableError('malformed', `${port} is no port`);
  }
}

function payloadOf(target: UdpTarget): Buffer {
  if (/^([0-9a-f]{2})*$/i.test(target.payloadHex)) return Buffer.from(target.payloadHex, 'hex');
  throw new UnavailableError('malformed', 'the payload is not in hexadecimal digits');
}

function unsupported(target: ConnectTarget, error: Error): UnavailableError {
  const where = `${target.address} port ${target.port}`;
  return new UnavailableError('unsupported', `cannot send to ${where}: ${error.message}`, { cause: error });
}
