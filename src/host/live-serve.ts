import { createServer, type Server, type ServerResponse } from 'node:http';
import { UnavailableError } from '../errors.ts';
import { errorCode } from './live-errors.ts';
import type { Closable, HttpAnswer, ServePlace } from './resident.ts';

/** Who asks for health asks in a moment; a slow asker must not hold a connection for ever. */
const REQUEST_MS = 5000;

/** An HTTP server for GET alone. */
export async function serveHttp(place: ServePlace, answer: (path: string) => Promise<HttpAnswer>): Promise<Closable> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (request.method !== 'GET' && request.method !== 'HEAD') return void send(response, NOT_ALLOWED);
    answer(path).then(
      (result) => send(response, result),
      (error: unknown) => send(response, { ...NOT_ALLOWED, status: 500, body: `${String(error)}\n` }),
    );
  });
  await listening(server, place);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const NOT_ALLOWED: HttpAnswer = { status: 405, contentType: 'text/plain; charset=utf-8', body: 'only GET\n' };

function send(response: ServerResponse, { status, contentType, body }: HttpAnswer): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function listening(server: Server, { address, port }: ServePlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = errorCode(error);
      const reason = code === 'EACCES' || code === 'EPERM' ? 'permission' : 'unsupported';
      reject(new UnavailableError(reason, `${address}:${port} cannot be listened on (${code})`, { cause: error }));
    });
    server.listen({ host: address, port }, () => resolve());
  });
}
