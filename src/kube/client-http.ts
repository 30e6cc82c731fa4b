import {
  ApiException,
  type HttpLibrary,
  type RequestContext,
  ResponseContext,
  wrapHttpLibrary,
} from '@kubernetes/client-node';
import { Agent, type Dispatcher, fetch } from 'undici';

/** The connections of one API client; client-node alone would make new ones for every request. */
export interface KubeHttp {
  /** Requests that all end by `signal`, which client-node's own library has no way to take. */
  library(signal: AbortSignal): HttpLibrary;
  /** The body of an answer, line by line, until it or `signal` ends; an empty one when it begins. @throws {ApiException} for any status but 200. */
  lines(request: RequestContext, signal: AbortSignal): AsyncGenerator<string>;
  close(): Promise<void>;
}

export function openKubeHttp(): KubeHttp {
  let dispatcher: Dispatcher | undefined;
  const ask = (request: RequestContext, signal: AbortSignal) => {
    dispatcher ??= request.getDispatcher() ?? new Agent();
    const body = request.getBody();
    return fetch(request.getUrl(), {
      method: request.getHttpMethod(),
      headers: { ...request.getHeaders(), 'User-Agent': 'flannelctl' },
      ...(typeof body === 'string' ? { body } : {}),
      dispatcher,
      signal,
    });
  };
  const send = async (request: RequestContext, signal: AbortSignal): Promise<ResponseContext> => {
    const response = await ask(request, signal);
    return new ResponseContext(response.status, Object.fromEntries(response.headers), {
      text: () => response.text(),
      binary: async () => Buffer.from(await response.arrayBuffer()),
      stream: () => null,
    });
  };
  return {
    lines: async function* (request, signal) {
      const response = await ask(request, signal);
      const headers = Object.fromEntries(response.headers);
      if (response.status !== 200) {
        throw new ApiException(response.status, response.statusText, await response.text(), headers);
      }
      yield '';
      if (response.body !== null) yield* linesOf(response.body);
    },
    library: (signal) => wrapHttpLibrary({ send: (request) => send(request, signal) }),
    close: async () => dispatcher?.destroy(),
  };
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
