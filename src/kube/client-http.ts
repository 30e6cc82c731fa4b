import { type HttpLibrary, type RequestContext, ResponseContext, wrapHttpLibrary } from '@kubernetes/client-node';
import { Agent, type Dispatcher, fetch } from 'undici';

/** The connections of one API client; client-node alone would make new ones for every request. */
export interface KubeHttp {
  /** Requests that all end by `signal`, which client-node's own library has no way to take. */
  library(signal: AbortSignal): HttpLibrary;
  close(): Promise<void>;
}

export function openKubeHttp(): KubeHttp {
  let dispatcher: Dispatcher | undefined;
  const send = async (request: RequestContext, signal: AbortSignal): Promise<ResponseContext> => {
    dispatcher ??= request.getDispatcher() ?? new Agent();
    const body = request.getBody();
    const response = await fetch(request.getUrl(), {
      method: request.getHttpMethod(),
      headers: { ...request.getHeaders(), 'User-Agent': 'flannelctl' },
      ...(typeof body === 'string' ? { body } : {}),
      dispatcher,
      signal,
    });
    return new ResponseContext(response.status, Object.fromEntries(response.headers), {
      text: () => response.text(),
      binary: async () => Buffer.from(await response.arrayBuffer()),
      stream: () => null,
    });
  };
  return {
    library: (signal) => wrapHttpLibrary({ send: (request) => send(request, signal) }),
    close: async () => dispatcher?.destroy(),
  };
}
