import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Namespace } from '../dataplane/namespace.ts';
import { makeNode, type NodeObject, type NodeOptions } from '../support/kube-objects.ts';

export const ADMIN_TOKEN = 'administrator';
export const AGENT_TOKEN = 'flannel';
export const API_ADDRESS = '192.168.9.254';

/** What is asked of the process beside the API server. */
export type ApiOrder =
  | { readonly deed: 'ask'; readonly method: string; readonly path: string; readonly body?: unknown }
  | { readonly deed: 'denied' }
  | { readonly deed: 'let-patch'; readonly mayPatch: boolean }
  | { readonly deed: 'set-pod'; readonly namespace: string; readonly name: string; readonly nodeName: string }
  | { readonly deed: 'do'; readonly what: 'endWatches' | 'cutWatches' | 'compact' | 'refuse' | 'listenAgain' };

export type ApiAnswer = { readonly value: unknown } | { readonly problem: string };

/** The Kubernetes API of a lab, as an administrator has it. */
export interface LabApi {
  readonly url: string;
  createNode(name: string, options: NodeOptions): Promise<void>;
  /** Annotations with their prefix; `null` removes one. */
  annotate(name: string, annotations: Readonly<Record<string, string | null>>): Promise<void>;
  setPodCidr(name: string, podCidr: string): Promise<void>;
  deleteNode(name: string): Promise<void>;
  node(name: string): Promise<NodeObject>;
  setPod(namespace: string, name: string, nodeName: string): Promise<void>;
  /** What the agents asked for without having the right, as `METHOD PATH`. */
  denied(): Promise<readonly string[]>;
  letPatch(mayPatch: boolean): Promise<void>;
  /** What only the small API server can be made to do. */
  make(what: Extract<ApiOrder, { deed: 'do' }>['what']): Promise<void>;
  /** SIGSTOP: it takes connections and says nothing. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
}

/** The small API server, or with `real` the way to one that runs already, in the namespace of the hub. */
export async function startLabApi(hub: Namespace, children: ChildProcess[], real = ''): Promise<LabApi> {
  const program = fileURLToPath(new URL('kube-api-process.ts', import.meta.url));
  const argv = ['netns', 'exec', hub.name, process.execPath, program, API_ADDRESS, real];
  const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: real === '' ? '1' : '0', NODE_NO_WARNINGS: '1' };
  const child = spawn('ip', argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env });
  children.push(child);
  const [{ value: url }] = await once(child, 'message');
  const order = orderTo(child);
  const ask = (method: string, path: string, body?: unknown) =>
    order({ deed: 'ask', method, path, ...(body === undefined ? {} : { body }) });
  const patch = async (path: string, body: unknown) => void (await ask('PATCH', `/api/v1/nodes/${path}`, body));
  return {
    url: String(url),
    createNode: async (name, options) => {
      const { metadata, ...rest } = makeNode(name, options);
      const { resourceVersion: _, ...fresh } = metadata;
      await ask('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: fresh, ...rest });
    },
    annotate: (name, annotations) => patch(name, { metadata: { annotations } }),
    setPodCidr: (name, podCIDR) => patch(name, { spec: { podCIDR, podCIDRs: [podCIDR] } }),
    deleteNode: async (name) => void (await ask('DELETE', `/api/v1/nodes/${name}`)),
    node: async (name) => ({ ...makeNode(name), ...Object(await ask('GET', `/api/v1/nodes/${name}`)) }),
    setPod: async (namespace, name, nodeName) =>
      void (await (real === ''
        ? order({ deed: 'set-pod', namespace, name, nodeName })
        : ask('POST', `/api/v1/namespaces/${namespace}/pods`, podObject(name, nodeName)))),
    denied: async () => [await order({ deed: 'denied' })].flat().map(String),
    letPatch: async (mayPatch) => void (await order({ deed: 'let-patch', mayPatch })),
    make: async (what) => void (await order({ deed: 'do', what })),
    signal: (name) => void child.kill(name),
  };
}

/** One after the other: an answer belongs to the order before it. */
function orderTo(child: ChildProcess): (order: ApiOrder) => Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  const send = async (order: ApiOrder): Promise<unknown> => {
    const answered = once(child, 'message');
    child.send(order);
    const [answer]: ApiAnswer[] = await answered;
    if (answer === undefined || 'problem' in answer) throw new Error(answer?.problem ?? 'no answer');
    return answer.value;
  };
  return (order) => {
    const answer = last.then(
      () => send(order),
      () => send(order),
    );
    last = answer;
    return answer;
  };
}

function podObject(name: string, nodeName: string) {
  const containers = [{ name: 'flannel', image: 'flannel' }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { nodeName, containers } };
}
