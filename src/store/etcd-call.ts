import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { unescape as decodePercent } from 'node:querystring';
import type { EtcdChannel } from './etcd-channel.ts';
import { FrameReader, frameOf } from './etcd-frames.ts';
import { deadlineExceeded, dropped, notConnected, STATUS, StatusError } from './etcd-status.ts';

// gRPC over HTTP/2: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

export interface EtcdCall {
  /** `/etcdserverpb.KV/Range` */
  readonly path: string;
  readonly message: Uint8Array;
  /** Names in lower case. */
  readonly metadata: OutgoingHttpHeaders;
}

/** Asks once, answers once. @throws {StatusError} */
export async function callOnce(channel: EtcdChannel, call: EtcdCall, deadline: number): Promise<Buffer> {
  const left = Math.min(LONGEST_MS, Math.ceil(deadline - Date.now()));
  if (left <= 0) throw deadlineExceeded();
  const { promise: answer, resolve, reject } = Promise.withResolvers<Buffer>();
  let stream: ClientHttp2Stream | undefined;
  const timer = setTimeout(() => {
    reject(deadlineExceeded());
    stream?.close(constants.NGHTTP2_CANCEL);
  }, left);
  const timeout = { 'grpc-timeout': `${left}m` };
  try {
    channel.request({ ...headersOf(call), ...timeout }).then((opened) => {
      stream = opened;
      if (Date.now() >= deadline) stream.close(constants.NGHTTP2_CANCEL);
      read(stream, resolve, reject);
      stream.end(frameOf(call.message));
    }, reject);
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}

/** gRPC has room for eight digits. */
const LONGEST_MS = 99_999_999;

/** A stream of messages in both directions. */
export interface EtcdStream {
  /** One asked for after the other: what is not asked for stays with etcd. @throws {StatusError} for every end but a good one. */
  messages(): AsyncGenerator<Buffer>;
  cancel(): void;
}

/** Sends the first message; the other end may send any number. @throws {StatusError} */
export async function openStream(channel: EtcdChannel, call: EtcdCall): Promise<EtcdStream> {
  const stream = await channel.request(headersOf(call));
  const ending = endingOf(stream);
  stream.write(frameOf(call.message));
  return { messages: () => messagesOf(stream, ending), cancel: () => stream.close(constants.NGHTTP2_CANCEL) };
}

async function* messagesOf(stream: ClientHttp2Stream, ending: Ending): AsyncGenerator<Buffer> {
  const frames = new FrameReader();
  try {
    for await (const part of stream) yield* frames.push(part);
  } catch (error) {
    if (error instanceof StatusError || !stream.destroyed) throw error;
  }
  const status = ending.status();
  if (status !== undefined) throw status;
}

function headersOf({ path, metadata }: EtcdCall): OutgoingHttpHeaders {
  return { ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc', ...metadata };
}

function read(stream: ClientHttp2Stream, resolve: (message: Buffer) => void, reject: (error: unknown) => void): void {
  const ending = endingOf(stream);
  const frames = new FrameReader();
  let message: Buffer | undefined;
  stream.on('data', (part: Buffer) => {
    // the body of an error page is no message
    if (ending.isKnown()) return;
    try {
      [message] = [message, ...frames.push(part)].filter((one) => one !== undefined);
    } catch (error) {
      reject(error);
      stream.close(constants.NGHTTP2_CANCEL);
    }
  });
  stream.once('close', () => {
    const status = ending.status();
    if (status !== undefined) reject(status);
    else if (message === undefined) reject(new StatusError(STATUS.internal, 'the answer has no message'));
    else resolve(message);
  });
}

interface Ending {
  /** Whether the other end has said how it ends. */
  isKnown(): boolean;
  /** Of a stream that is closed; `undefined`: it ended well. */
  status(): StatusError | undefined;
}

/** The status comes after the messages, or instead of them with the first headers. */
function endingOf(stream: ClientHttp2Stream): Ending {
  let told: IncomingHttpHeaders | undefined;
  let failure: Error | undefined;
  stream.once('response', (headers) => {
    if (headers['grpc-status'] !== undefined || headers[':status'] !== 200) told = headers;
  });
  stream.once('trailers', (trailers) => {
    told ??= trailers;
  });
  stream.once('error', (error) => {
    failure = error;
  });
  return {
    isKnown: () => told !== undefined,
    status: () => (told === undefined ? statusOfBreak(stream, failure) : statusOf(told)),
  };
}

function statusOf(headers: IncomingHttpHeaders): StatusError | undefined {
  const status = headers['grpc-status'];
  if (status === undefined) {
    return new StatusError(STATUS.unavailable, `it answers with HTTP status ${headers[':status']}, not with gRPC`);
  }
  const code = Number(status);
  if (code === STATUS.ok) return undefined;
  const text = decodePercent(String(headers['grpc-message'] ?? ''));
  return new StatusError(Number.isInteger(code) ? code : STATUS.unknown, text);
}

/** Node gives the streams of a connection that was lost the code of a cancelled one, and at times the error. */
function statusOfBreak({ session, rstCode }: ClientHttp2Stream, failure: Error | undefined): StatusError {
  if (failure instanceof StatusError) return failure;
  // RFC 9113 §8.7: such a stream was not worked on
  if (rstCode === constants.NGHTTP2_REFUSED_STREAM) return notConnected(new Error('the stream was refused'));
  if (failure !== undefined && isUnsent(failure)) return notConnected(failure);
  if (session === undefined || session.destroyed || session.closed) return dropped(failure);
  const code = rstCode === constants.NGHTTP2_CANCEL ? STATUS.cancelled : STATUS.internal;
  return new StatusError(code, failure?.message ?? `the stream was closed with code ${rstCode}`, { cause: failure });
}

function isUnsent(error: Error): boolean {
  return 'code' in error && (error.code === 'ERR_HTTP2_GOAWAY_SESSION' || error.code === 'ERR_HTTP2_INVALID_SESSION');
}
