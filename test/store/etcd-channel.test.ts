import { once } from 'node:events';
import { constants, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callOnce, openStream } from '../../src/store/etcd-call.ts';
import { type EtcdChannel, openChannel } from '../../src/store/etcd-channel.ts';
import { describeFailure } from '../../src/store/etcd-errors.ts';

type Answer = (stream: ServerHttp2Stream) => void;

let server: Http2Server;
let channel: EtcdChannel;
let answer: Answer;
let connections: number;

beforeEach(async () => {
  connections = 0;
  server = createServer();
  server.on('session', () => {
    connections += 1;
  });
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.resume();
    stream.once('end', () => answer(stream));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  channel = openChannel({ isSecure: false, address: addressOf(server), tls: {} });
});
afterEach(() => {
  channel.close();
  server.close();
});

function addressOf(listening: { address(): AddressInfo | string | null }): string {
  const address = listening.address();
  return typeof address === 'object' ? `127.0.0.1:${address?.port}` : '';
}

const CALL = { path: '/etcdserverpb.KV/Range', message: Buffer.from('question'), metadata: { token: 'abc' } };
const ask = (ms = 3000) => callOnce(channel, CALL, Date.now() + ms);
const frame = (text: string, flag = 0) => {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
};

function finish(stream: ServerHttp2Stream, parts: readonly Buffer[], trailers: Readonly<Record<string, string>>): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  for (const part of parts) stream.write(part);
  stream.end();
}

/** What etcd-errors makes of it: the reason, and whether a write may be sent again. */
const told = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => new Error('it was answered'),
    (failure: unknown) => failure,
  );
  const { reason, hadNoEffect, words } = describeFailure('http://etcd', error, 3000);
  return { reason, hadNoEffect, words };
};

describe('a call', () => {
  it('is answered, in however many pieces the answer comes', async () => {
    answer = (stream) => {
      const whole = frame('an answer');
      finish(stream, [whole.subarray(0, 3), whole.subarray(3, 8), whole.subarray(8)], { 'grpc-status': '0' });
    };
    expect(String(await ask())).toBe('an answer');
  });

  it('uses one connection for many, and a new one when that was lost', async () => {
    answer = (stream) => finish(stream, [frame('yes')], { 'grpc-status': '0' });
    await Promise.all([ask(), ask(), ask()]);
    expect(connections).toBe(1);
    answer = (stream) => stream.session?.destroy();
    expect(await told(ask())).toMatchObject({ reason: 'unreachable', hadNoEffect: false });
    answer = (stream) => finish(stream, [frame('yes')], { 'grpc-status': '0' });
    expect(String(await ask())).toBe('yes');
    expect(connections).toBe(2);
  });

  it('fails with the status of the trailers, or of an answer that is nothing but that', async () => {
    answer = (stream) => finish(stream, [], { 'grpc-status': '7', 'grpc-message': 'etcdserver: permission denied' });
    expect(await told(ask())).toMatchObject({ reason: 'permission', hadNoEffect: true });
    answer = (stream) =>
      stream.respond({ ':status': 200, 'grpc-status': '14', 'grpc-message': 'no%20leader%20%' }, { endStream: true });
    expect((await told(ask())).words).toContain('has no leader');
  });

  it('is refused by a server that is no etcd, by one that compresses, and by one that says nothing', async () => {
    answer = (stream) => {
      stream.respond({ ':status': 404 });
      stream.end('not found');
    };
    expect((await told(ask())).words).toContain('HTTP status 404');
    answer = (stream) => finish(stream, [frame('x', 1)], { 'grpc-status': '0' });
    expect((await told(ask())).words).toContain('compressed');
    answer = (stream) => finish(stream, [], { 'grpc-status': '0' });
    expect((await told(ask())).words).toContain('no message');
  });

  it('is not read when the answer says that it is larger than what is taken', async () => {
    answer = (stream) => {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(65 << 20, 1);
      stream.respond({ ':status': 200 });
      stream.write(head);
    };
    await expect(ask()).rejects.toThrow('Received message larger than max');
  });

  it('may be sent again when its stream was refused, and not when it was reset', async () => {
    answer = (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM);
    expect(await told(ask())).toMatchObject({ reason: 'unreachable', hadNoEffect: true });
    answer = (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    expect(await told(ask())).toMatchObject({ reason: 'unreachable', hadNoEffect: false });
  });

  it('ends at its deadline, which etcd is told', async () => {
    let timeout: unknown;
    server.on('stream', (_stream, headers) => {
      timeout = headers['grpc-timeout'];
    });
    answer = () => undefined;
    expect(await told(ask(200))).toMatchObject({ reason: 'timeout', hadNoEffect: false });
    expect(timeout).toMatch(/^(1\d\d|200)m$/);
  });

  it('was never sent where nobody listens, or after the client was closed', async () => {
    const gone = openChannel({ isSecure: false, address: '127.0.0.1:1', tls: {} });
    expect(await told(callOnce(gone, CALL, Date.now() + 3000))).toMatchObject({
      words: 'refused the connection',
      hadNoEffect: true,
    });
    channel.close();
    expect(await told(ask())).toMatchObject({ reason: 'unreachable', hadNoEffect: true });
  });
});

describe('a stream', () => {
  it('gives its messages one by one, and its status at the end', async () => {
    answer = () => undefined;
    server.on('stream', (stream) => finish(stream, [frame('one'), frame('two')], { 'grpc-status': '11' }));
    const stream = await openStream(channel, CALL);
    const messages: string[] = [];
    const read = async () => {
      for await (const message of stream.messages()) messages.push(String(message));
    };
    await expect(read()).rejects.toMatchObject({ code: 11 });
    expect(messages).toEqual(['one', 'two']);
  });

  it('ends when the other end went away without a word', { timeout: 20_000 }, async () => {
    // takes the bytes and sends none: what a host that lost its power looks like
    const mute = createTcpServer((socket: Socket) => socket.on('error', () => undefined).resume());
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const silent = openChannel({ isSecure: false, address: addressOf(mute), tls: {} });
    const startedAt = performance.now();
    const stream = await openStream(silent, CALL);
    await expect(stream.messages().next()).rejects.toThrow('no answer to a ping');
    expect(performance.now() - startedAt).toBeLessThan(12_000);
    silent.close();
    mute.close();
  });
});
