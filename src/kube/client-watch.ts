import { setTimeout as sleep } from 'node:timers/promises';
import { ApiException, HttpMethod, type KubeConfig, RequestContext } from '@kubernetes/client-node';
import * as v from 'valibot';
import { UnavailableError } from '../errors.ts';
import { translateError } from './client-errors.ts';
import type { KubeHttp } from './client-http.ts';
import { toKubeNode } from './client-nodes.ts';
import type { KubeApi, KubeNode, NodeEvent } from './kube.ts';

export interface NodeWatch {
  readonly config: KubeConfig;
  readonly http: KubeHttp;
  /** Without user and password, for messages. */
  readonly server: string;
  /** Of flannel's annotations. */
  readonly prefix: string;
  /** For a list, and for the answer to a watch to begin. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly listNodes: KubeApi['listNodes'];
  readonly onInterruption?: (error: UnavailableError) => void;
}

const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** The API server sends a bookmark about every minute; what says nothing for so long may be dead. */
const SILENCE_MS = 100_000;

/** The resource version is older than what the API server keeps. */
class GoneError extends Error {}

/** List, then watch from there; the next watch goes on where one ended. */
export async function* watchAllNodes(watch: NodeWatch): AsyncGenerator<NodeEvent> {
  const { signal } = watch;
  if (signal.aborted) return;
  const told: Told = { version: undefined, because: null, pauseMs: SHORTEST_PAUSE_MS };
  yield await snapshot(watch, told);
  while (!signal.aborted) {
    try {
      if (told.version === undefined) yield await snapshot(watch, told);
      yield* changes(watch, told);
    } catch (error) {
      if (signal.aborted) return;
      told.version = undefined;
      told.because = error instanceof GoneError ? 'compacted' : 'reconnected';
      if (!(error instanceof GoneError)) tellInterruption(watch, error);
    }
    await pause(told, signal);
  }
}

interface Told {
  /** `undefined`: the nodes have to be listed again. */
  version: string | undefined;
  because: string | null;
  pauseMs: number;
}

async function snapshot({ listNodes }: NodeWatch, told: Told): Promise<NodeEvent> {
  const { nodes, resourceVersion } = await listNodes();
  told.version = resourceVersion;
  return { type: 'snapshot', nodes, resourceVersion, because: told.because };
}

/** Ends when the API server ends the watch. */
async function* changes(watch: NodeWatch, told: Told): AsyncGenerator<NodeEvent> {
  for await (const line of linesAfter(watch, told.version ?? '')) {
    const event = parseEvent(line, watch);
    if (event.type !== 'bookmark') yield { type: event.type, node: event.node };
    told.version = event.version;
    told.pauseMs = SHORTEST_PAUSE_MS;
  }
}

async function* linesAfter(watch: NodeWatch, resourceVersion: string): AsyncGenerator<string> {
  const { config, http, server, timeoutMs } = watch;
  const query = new URLSearchParams({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion });
  const base = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  const request = new RequestContext(`${base}/api/v1/nodes?${query}`, HttpMethod.GET);
  const silence = startAlarm(timeoutMs);
  let hasBegun = false;
  try {
    await config.applySecurityAuthentication(request);
    for await (const line of http.lines(request, AbortSignal.any([watch.signal, silence.signal]))) {
      hasBegun = true;
      silence.putOff(SILENCE_MS);
      if (line !== '') yield line;
    }
  } catch (error) {
    if (error instanceof ApiException && error.code === 410) throw new GoneError();
    // it goes on from where it was, which costs nothing when the API server was only quiet
    if (silence.signal.aborted && hasBegun) return;
    const cause = silence.signal.aborted ? silence.signal.reason : error;
    throw translateError(cause, { server, what: 'watch nodes', timeoutMs });
  } finally {
    silence.end();
  }
}

function startAlarm(ms: number) {
  const controller = new AbortController();
  const ring = () => controller.abort(new DOMException('nothing came', 'TimeoutError'));
  let timer = setTimeout(ring, ms);
  return {
    signal: controller.signal,
    putOff: (more: number) => {
      clearTimeout(timer);
      timer = setTimeout(ring, more);
    },
    end: () => clearTimeout(timer),
  };
}

const VERSION = v.object({ metadata: v.object({ resourceVersion: v.string() }) });
const STATUS = v.object({ code: v.number() });
const TIME = v.pipe(
  v.string(),
  v.transform((text) => new Date(text)),
);
const CONDITION = v.object({ type: v.string(), status: v.string(), lastTransitionTime: v.nullish(TIME) });
const NODE = v.object({
  metadata: v.object({
    name: v.string(),
    resourceVersion: v.string(),
    annotations: v.optional(v.record(v.string(), v.string()), {}),
  }),
  spec: v.object({ podCIDR: v.optional(v.string(), ''), podCIDRs: v.optional(v.array(v.string()), []) }),
  status: v.object({
    addresses: v.optional(v.array(v.object({ type: v.string(), address: v.string() })), []),
    conditions: v.optional(v.array(CONDITION), []),
  }),
});
const EVENT = v.variant('type', [
  v.object({ type: v.picklist(['ADDED', 'MODIFIED', 'DELETED']), object: NODE }),
  v.object({ type: v.literal('BOOKMARK'), object: VERSION }),
  v.object({ type: v.literal('ERROR'), object: STATUS }),
]);

type Parsed =
  | { readonly type: 'put' | 'delete'; readonly node: KubeNode; readonly version: string }
  | { readonly type: 'bookmark'; readonly version: string };

/** @throws {GoneError} for the 410 that the API sends as an event; {UnavailableError} for what is no event. */
function parseEvent(line: string, { prefix, server }: NodeWatch): Parsed {
  const event = v.safeParse(v.pipe(v.string(), v.parseJson(), EVENT), line);
  if (!event.success) {
    throw new UnavailableError('malformed', `the Kubernetes API at ${server} sent a watch event that does not parse`);
  }
  const { output } = event;
  switch (output.type) {
    case 'BOOKMARK':
      return { type: 'bookmark', version: output.object.metadata.resourceVersion };
    case 'ERROR': {
      if (output.object.code === 410) throw new GoneError();
      const message = `the Kubernetes API at ${server} ended the watch of nodes with ${output.object.code}`;
      throw new UnavailableError('unreachable', message);
    }
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const node = toKubeNode(output.object, prefix);
      return { type: output.type === 'DELETED' ? 'delete' : 'put', node, version: node.resourceVersion };
    }
  }
}

function tellInterruption({ onInterruption }: NodeWatch, error: unknown): void {
  if (!(error instanceof UnavailableError)) throw error;
  onInterruption?.(error);
}

/** Longer each time, and never the same for two clients that lost the same server. */
async function pause(told: Told, signal: AbortSignal): Promise<void> {
  const ms = told.pauseMs * (0.5 + Math.random() / 2);
  told.pauseMs = Math.min(2 * told.pauseMs, LONGEST_PAUSE_MS);
  await Promise.allSettled([sleep(ms, undefined, { signal })]);
}
