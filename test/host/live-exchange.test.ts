import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exchangeUdp } from '../../src/host/live-exchange.ts';
import { freePort } from '../support/free-port.ts';

const TIMES = { tries: 2, intervalMs: 20, timeoutMs: 200 } as const;

/** A port of ours that sends every datagram back; what it was sent. */
async function echoing(): Promise<{ readonly port: number; readonly seen: string[] }> {
  const server = createSocket('udp4');
  const seen: string[] = [];
  server.on('message', (bytes, from) => {
    seen.push(bytes.toString('hex'));
    server.send(bytes, from.port, from.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: server.address().port, seen };
}

describe('an exchange of datagrams', () => {
  it('sends each several times from one port, and gathers what comes back', async () => {
    const { port, seen } = await echoing();
    const datagrams = ['aa', 'bb'].map((payloadHex) => ({ address: '127.0.0.1', port, payloadHex }));
    const { received, refused } = await exchangeUdp({ localPort: await freePort(), datagrams, ...TIMES });
    expect(seen.toSorted()).toEqual(['aa', 'aa', 'bb', 'bb']);
    expect(received.map(({ payloadHex }) => payloadHex).toSorted()).toEqual(['aa', 'aa', 'bb', 'bb']);
    expect(refused).toEqual({});
  });

  it('is not held up by a port that nobody listens on', async () => {
    const { port } = await echoing();
    const datagrams = [1, port].map((target) => ({ address: '127.0.0.1', port: target, payloadHex: 'aa' }));
    const { received } = await exchangeUdp({ localPort: await freePort(), datagrams, ...TIMES });
    expect(received).toHaveLength(2);
  });

  it('names the error of an address that the kernel does not send to', async () => {
    const datagrams = [{ address: '255.255.255.255', port: 9, payloadHex: 'aa' }];
    const { refused } = await exchangeUdp({ localPort: await freePort(), datagrams, ...TIMES });
    expect(refused).toEqual({ '255.255.255.255': 'EACCES' });
  });

  it('cannot be where the port is taken', async () => {
    const { port } = await echoing();
    await expect(exchangeUdp({ localPort: port, datagrams: [], ...TIMES })).rejects.toMatchObject({
      reason: 'unsupported',
    });
  });

  it.each([
    { address: 'localhost', port: 9, payloadHex: '' },
    { address: '::1', port: 9, payloadHex: '' },
    { address: '127.0.0.1', port: 0, payloadHex: '' },
    { address: '127.0.0.1', port: 9, payloadHex: 'x' },
  ])('sends nothing to $address port $port with "$payloadHex"', async (datagram) => {
    const exchange = exchangeUdp({ localPort: await freePort(), datagrams: [datagram], ...TIMES });
    await expect(exchange).rejects.toMatchObject({ reason: 'malformed' });
  });
});
