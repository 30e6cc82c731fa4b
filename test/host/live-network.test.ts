import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { runProgram } from '../../src/host/live-exec.ts';
import { connectTcp, sendUdp } from '../../src/host/live-network.ts';

const timeoutMs = 400;

describe('a TCP handshake on this host', () => {
  it('is open where somebody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    expect(await connectTcp({ address: '127.0.0.1', port: portOf(server.address()), timeoutMs })).toBe('open');
  });

  it.each(['127.0.0.1', '::1'])('is refused at %s where nobody listens', async (address) => {
    expect(await connectTcp({ address, port: 1, timeoutMs })).toBe('refused');
  });

  it.each(['localhost', '127.0.0.1 ', '127.1'])(
    'is not tried with %j, which would be a name to look up',
    async (address) => {
      await expect(connectTcp({ address, port: 1, timeoutMs })).rejects.toMatchObject({ reason: 'malformed' });
    },
  );
});

describe('a datagram on this host', () => {
  it('is answered', async () => {
    const server = createSocket('udp4');
    server.on('message', (_, from) => server.send('pong', from.port, from.address));
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const target = { address: '127.0.0.1', port: server.address().port, timeoutMs, payloadHex: '08' };
    expect(await sendUdp(target)).toBe('answered');
  });

  it.each(['127.0.0.1', '::1'])('is refused at %s where nobody listens', async (address) => {
    expect(await sendUdp({ address, port: 1, timeoutMs, payloadHex: '' })).toBe('refused');
  });

  it('is not sent when its payload is not hexadecimal', async () => {
    const target = { address: '127.0.0.1', port: 1, timeoutMs, payloadHex: '0x' };
    await expect(sendUdp(target)).rejects.toMatchObject({ reason: 'malformed' });
  });
});

describe('in a network of its own', () => {
  const namespace = `fctl-${process.pid}-${Math.random().toString(36).slice(2, 7)}`;
  const inside = (...command: readonly string[]) => runProgram(['ip', 'netns', 'exec', namespace, ...command]);

  beforeAll(async () => {
    await runProgram(['ip', 'netns', 'add', namespace]);
    await inside('ip', 'link', 'set', 'lo', 'up');
    await inside('ip', 'link', 'add', 'br0', 'type', 'bridge');
    await inside('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'br0');
    await inside('ip', 'link', 'set', 'br0', 'up');
    await inside(
      'nft',
      'add table inet t; add chain inet t o { type filter hook output priority 0; }; add rule inet t o udp dport 9 drop; add rule inet t o tcp dport 9 drop',
    );
  });
  afterAll(async () => {
    await runProgram(['ip', 'netns', 'del', namespace]);
  });

  it.each([
    { protocol: 'tcp', to: 'a network without a route', address: '198.51.100.1', port: 8, outcome: 'unreachable' },
    { protocol: 'udp', to: 'a network without a route', address: '198.51.100.1', port: 8, outcome: 'unreachable' },
    { protocol: 'tcp', to: 'what a local filter drops', address: '127.0.0.1', port: 9, outcome: 'silent' },
    { protocol: 'udp', to: 'what a local filter drops', address: '127.0.0.1', port: 9, outcome: 'prohibited' },
    { protocol: 'udp', to: 'a neighbour that is not there', address: '192.0.2.2', port: 8, outcome: 'silent' },
  ])('$protocol to $to is $outcome', async ({ protocol, address, port, outcome }) => {
    expect(await probeInside(protocol, address, port)).toEqual({ outcome, resources: [] });
  });

  /** What the child still holds open afterwards keeps a process alive: nothing may. */
  async function probeInside(protocol: string, address: string, port: number): Promise<unknown> {
    const target = JSON.stringify({ address, port, timeoutMs, payloadHex: '00' });
    const script = `import * as network from '${new URL('../../src/host/live-network.ts', import.meta.url).href}';
      const outcome = await network.${protocol === 'tcp' ? 'connectTcp' : 'sendUdp'}(${target});
      await new Promise((resolve) => setTimeout(resolve, 20));
      const resources = process.getActiveResourcesInfo().filter((name) => /TCP|UDP|Timeout/.test(name));
      process.stdout.write(JSON.stringify({ outcome, resources }));`;
    const { stdout } = await inside(process.execPath, '--input-type=module', '-e', script);
    return JSON.parse(stdout);
  }
});

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
