import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { isRecord, makeNode, mergePatch, type NodeObject } from './kube-objects.ts';

export interface KubeApiServerOptions {
  /** PEM texts; default: plain http. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Requests need `Authorization: Bearer TOKEN` when given. */
  readonly token?: string;
  /** Where it listens; default: a free port of 127.0.0.1. */
  readonly place?: { readonly address: string; readonly port: number };
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
}

export interface KubeApiServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Sockets opened so far. */
  readonly connections: number;
  setNode(node: NodeObject): void;
  deleteNode(name: string): void;
  node(name: string): NodeObject | undefined;
  /** A Pod that runs on a Node; `''`: on none yet. */
  setPod(namespace: string, name: string, nodeName: string): void;
  setConfigMap(namespace: string, name: string, data: Readonly<Record<string, string>>): void;
  /** RBAC: requests for which this is true are answered 403. */
  deny(isDenied: (request: SeenRequest) => boolean): void;
  /** Every answer waits this long; `Number.POSITIVE_INFINITY`: for ever. */
  delay(ms: number): void;
  /** Ends all watches, as the API does after some minutes. */
  endWatches(): void;
  /** Tears the connections of all watches. */
  cutWatches(): void;
  /** Tells the watches that want it the newest resource version, as the API does about every minute. */
  bookmark(): void;
  /** Forgets the events so far: a watch from before is told 410. */
  compact(): void;
  /** Ends all connections and refuses new ones, until it listens again. */
  refuse(): Promise<void>;
  listenAgain(): Promise<void>;
  close(): Promise<void>;
}

type WatchEvent = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: NodeObject };

interface State {
  readonly nodes: Map<string, NodeObject>;
  readonly pods: Map<string, string>;
  readonly configMaps: Map<string, Readonly<Record<string, string>>>;
  readonly events: WatchEvent[];
  /** With whether it wants bookmarks. */
  readonly watchers: Map<ServerResponse, boolean>;
  /** Watches from before are told 410. */
  oldest: number;
  revision: number;
}

/** A route answers, or says `undefined`: not mine. */
type Route = (request: SeenRequest, response: ServerResponse, body: unknown) => boolean | undefined;

/** The part of the Kubernetes API that flannel lives on, in memory: nodes (list in pages, get, patch, watch), configmaps. */
export async function startKubeApi(options: KubeApiServerOptions = {}): Promise<KubeApiServer> {
  const state: State = {
    nodes: new Map(),
    pods: new Map(),
    configMaps: new Map(),
    events: [],
    watchers: new Map(),
    oldest: 0,
    revision: 1,
  };
  const requests: SeenRequest[] = [];
  const control = { isDenied: (_: SeenRequest) => false, delayMs: 0, connections: 0 };
  const routes = routesOf(state);
  const handle = async (message: IncomingMessage, response: ServerResponse) => {
    const request = requestOf(message);
    requests.push(request);
    const body = await bodyOf(message);
    if (!Number.isFinite(control.delayMs)) return false;
    await new Promise((resolve) => setTimeout(resolve, control.delayMs));
    if (options.token !== undefined && request.authorization !== `Bearer ${options.token}`) return fail(response, 401);
    if (control.isDenied(request)) return fail(response, 403);
    return routes.some((route) => route(request, response, body)) || fail(response, 404);
  };
  const server = options.tls === undefined ? createHttpServer(handle) : createHttpsServer(options.tls, handle);
  server.on('connection', () => {
    control.connections += 1;
  });
  const place = options.place ?? { address: '127.0.0.1', port: 0 };
  const port = await listen(server, place);
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${place.address}:${port}`,
    requests,
    get connections() {
      return control.connections;
    },
    setNode: (node) => storeNode(state, node),
    deleteNode: (name) => removeNode(state, name),
    node: (name) => state.nodes.get(name),
    setPod: (namespace, name, nodeName) => state.pods.set(`${namespace}/${name}`, nodeName),
    setConfigMap: (namespace, name, data) => state.configMaps.set(`${namespace}/${name}`, data),
    deny: (isDenied) => {
      control.isDenied = isDenied;
    },
    delay: (ms) => {
      control.delayMs = ms;
    },
    endWatches: () => {
      for (const watcher of state.watchers.keys()) watcher.end();
      state.watchers.clear();
    },
    cutWatches: () => {
      for (const watcher of state.watchers.keys()) watcher.destroy();
    },
    bookmark: () => {
      const object = { kind: 'Node', apiVersion: 'v1', metadata: { resourceVersion: String(state.revision) } };
      const line = `${JSON.stringify({ type: 'BOOKMARK', object })}\n`;
      for (const [watcher, wantsBookmarks] of state.watchers) if (wantsBookmarks) watcher.write(line);
    },
    compact: () => {
      state.events.length = 0;
      state.oldest = state.revision;
    },
    refuse: () => closeServer(server),
    listenAgain: async () => void (await listen(server, { ...place, port })),
    close: () => closeServer(server),
  };
}

function routesOf(state: State): readonly Route[] {
  return [
    (request, response) => {
      if (request.method !== 'GET' || request.path !== '/api/v1/nodes') return undefined;
      return request.query.get('watch') === null
        ? listNodes(state, request, response)
        : watch(state, request, response);
    },
    (request, response, body) => {
      const [, name = '', sub] = /^\/api\/v1\/nodes\/([^/]+)(\/status)?$/.exec(request.path) ?? [];
      const node = state.nodes.get(name);
      if (node === undefined) return undefined;
      if (request.method === 'GET' && sub === undefined) return answer(response, withKind('Node', node));
      if (request.method === 'DELETE' && sub === undefined) {
        removeNode(state, name);
        return answer(response, withKind('Node', node));
      }
      if (request.method !== 'PATCH') return undefined;
      if (!/merge-patch\+json/.test(request.contentType ?? '')) return fail(response, 415);
      if (isOutdated(body, node)) return fail(response, 409);
      const patched = toNode(mergePatch(node, body), node);
      const { spec, status } = node;
      storeNode(state, sub === undefined ? { ...patched, status } : { ...patched, spec });
      return answer(response, withKind('Node', state.nodes.get(name) ?? node));
    },
    (request, response, body) => {
      if (request.method !== 'POST' || request.path !== '/api/v1/nodes') return undefined;
      const node = toNode(body, makeNode(''));
      if (state.nodes.has(node.metadata.name)) return fail(response, 409);
      storeNode(state, node);
      return answer(response, withKind('Node', node), 201);
    },
    (request, response) => {
      const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)$/.exec(request.path) ?? [];
      const nodeName = state.pods.get(`${namespace}/${name}`);
      if (request.method !== 'GET' || nodeName === undefined) return undefined;
      const spec = { containers: [], ...(nodeName !== '' && { nodeName }) };
      return answer(response, withKind('Pod', { metadata: { namespace, name, resourceVersion: '1' }, spec }));
    },
    (request, response) => {
      const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/configmaps\/([^/]+)$/.exec(request.path) ?? [];
      const data = state.configMaps.get(`${namespace}/${name}`);
      if (request.method !== 'GET' || data === undefined) return undefined;
      return answer(response, withKind('ConfigMap', { metadata: { namespace, name, resourceVersion: '1' }, data }));
    },
  ];
}

/** Pages as the real API: `limit` and an opaque `continue`, all of the first page's revision. */
function listNodes(state: State, request: SeenRequest, response: ServerResponse): boolean {
  const nodes = [...state.nodes.values()];
  const limit = Number(request.query.get('limit') ?? nodes.length) || nodes.length;
  const start = Number(request.query.get('continue') ?? 0);
  const end = start + limit;
  const metadata = {
    resourceVersion: String(state.revision),
    ...(end < nodes.length ? { continue: String(end) } : {}),
  };
  return answer(response, { kind: 'NodeList', apiVersion: 'v1', metadata, items: nodes.slice(start, end) });
}

function watch(state: State, request: SeenRequest, response: ServerResponse): boolean {
  const since = Number(request.query.get('resourceVersion') ?? 0);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (since < state.oldest) {
    const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410 };
    response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    return true;
  }
  for (const event of state.events) {
    if (Number(event.object.metadata.resourceVersion) > since) response.write(lineOf(event));
  }
  state.watchers.set(response, request.query.get('allowWatchBookmarks') === 'true');
  response.on('close', () => state.watchers.delete(response));
  return true;
}

function storeNode(state: State, node: NodeObject): void {
  const type = state.nodes.has(node.metadata.name) ? 'MODIFIED' : 'ADDED';
  publish(state, type, node);
}

function removeNode(state: State, name: string): void {
  const node = state.nodes.get(name);
  if (node !== undefined) publish(state, 'DELETED', node);
}

function publish(state: State, type: WatchEvent['type'], node: NodeObject): void {
  state.revision += 1;
  const object = { ...node, metadata: { ...node.metadata, resourceVersion: String(state.revision) } };
  if (type === 'DELETED') state.nodes.delete(node.metadata.name);
  else state.nodes.set(node.metadata.name, object);
  const event = { type, object };
  state.events.push(event);
  for (const watcher of state.watchers.keys()) watcher.write(lineOf(event));
}

function lineOf({ type, object }: WatchEvent): string {
  return `${JSON.stringify({ type, object: withKind('Node', object) })}\n`;
}

function withKind(kind: string, object: object): object {
  return { kind, apiVersion: 'v1', ...object };
}

/** A patch may name the version that it was made for (Kubernetes API conventions, concurrency control). */
function isOutdated(body: unknown, { metadata }: NodeObject): boolean {
  const given = isRecord(body) && isRecord(body['metadata']) ? body['metadata']['resourceVersion'] : undefined;
  return given !== undefined && given !== metadata.resourceVersion;
}

/** The patch is trusted to keep the shape: it comes from our own tests. */
function toNode(patched: unknown, node: NodeObject): NodeObject {
  return Object.assign({}, node, patched);
}

function answer(response: ServerResponse, body: object, code = 200): boolean {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  return true;
}

function fail(response: ServerResponse, code: number): boolean {
  return answer(
    response,
    { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message: `test: ${code}` },
    code,
  );
}

function requestOf(message: IncomingMessage): SeenRequest {
  const url = new URL(message.url ?? '/', 'http://test');
  return {
    method: message.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    authorization: message.headers.authorization,
    contentType: message.headers['content-type'],
  };
}

async function bodyOf(message: IncomingMessage): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}

function listen(server: Server, { address, port }: NonNullable<KubeApiServerOptions['place']>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(port, address, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
