import { connect, createServer, type Server } from 'node:net';
import { ConflictError, UnavailableError } from '../errors.ts';
import { errorCode } from './live-errors.ts';
import type { Closable } from './resident.ts';

/** The holder is this process's neighbour: it answers at once or hangs. */
const ANSWER_MS = 2000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** An abstract unix socket belongs to the network namespace, and goes with its process (unix(7)). */
export async function holdName(name: string, answer: () => string): Promise<Closable> {
  const server = createServer((socket) => {
    // The asker may be gone before it was answered.
    socket.on('error', () => undefined);
    socket.end(answer());
  });
  await listening(server, name);
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** @throws {UnavailableError} `timeout` when the holder does not answer. */
export function askHolder(name: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: pathOf(name), timeout: ANSWER_MS });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_ANSWER_BYTES) socket.destroy();
    });
    socket.once('close', () => resolve(text));
    socket.once('timeout', () => {
      socket.destroy();
      reject(new UnavailableError('timeout', `the holder of ${name} does not answer`));
    });
    socket.once('error', (error) => {
      if (errorCode(error) === 'ECONNREFUSED') return resolve(undefined);
      reject(new UnavailableError('unsupported', `the holder of ${name} cannot be asked`, { cause: error }));
    });
  });
}

function listening(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (errorCode(error) === 'EADDRINUSE') return reject(new ConflictError(`another process holds ${name}`));
      reject(new UnavailableError('unsupported', `${name} cannot be held`, { cause: error }));
    });
    server.listen({ path: pathOf(name) }, () => resolve());
  });
}

function pathOf(name: string): string {
  return `\0${name}`;
}
