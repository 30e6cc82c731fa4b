/** Runs beside the API server of a lab, in its namespace: starts the small one (or not, with a URL), and does what it is sent. */
import { startKubeApi } from '../support/kube-api-server.ts';
import { ADMIN_TOKEN, AGENT_TOKEN, type ApiAnswer, type ApiOrder } from './kube-api.ts';

const [address = '', realUrl = ''] = process.argv.slice(2);
const server = realUrl === '' ? await startKubeApi({ place: { address, port: 6443 } }) : undefined;
const url = server?.url ?? realUrl;
const denied: string[] = [];
let mayPatch = true;
server?.deny((request) => {
  const { method, path, authorization } = request;
  if (authorization === `Bearer ${ADMIN_TOKEN}`) return false;
  if (authorization === `Bearer ${AGENT_TOKEN}` && isGranted(method, path)) return method === 'PATCH' && !mayPatch;
  denied.push(`${method} ${path}`);
  return true;
});
process.on('message', async (order: ApiOrder) => {
  process.send?.(await obey(order));
});
process.send?.({ value: url });

/** The ClusterRole of kube-flannel.yml: nodes get, list, watch; nodes/status patch; pods get. */
function isGranted(method: string, path: string): boolean {
  if (method === 'GET') return /^\/api\/v1\/(nodes(\/[^/]+)?|namespaces\/[^/]+\/pods\/[^/]+)$/.test(path);
  return method === 'PATCH' && /^\/api\/v1\/nodes\/[^/]+\/status$/.test(path);
}

async function obey(order: ApiOrder): Promise<ApiAnswer> {
  try {
    return { value: await perform(order) };
  } catch (error) {
    return { problem: String(error) };
  }
}

async function perform(order: ApiOrder): Promise<unknown> {
  switch (order.deed) {
    case 'ask':
      return ask(order);
    case 'denied':
      return denied;
    case 'let-patch':
      mayPatch = order.mayPatch;
      return null;
    case 'set-pod':
      return server?.setPod(order.namespace, order.name, order.nodeName);
    case 'do':
      return server?.[order.what]();
  }
}

async function ask({ method, path, body }: Extract<ApiOrder, { deed: 'ask' }>): Promise<unknown> {
  const contentType = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': contentType },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}
