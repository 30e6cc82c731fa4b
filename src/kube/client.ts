import {
  CoreV1Api,
  createConfiguration,
  type KubeConfig,
  ServerConfiguration,
  type V1Node,
} from '@kubernetes/client-node';
import type { Host } from '../host/host.ts';
import type { KubeSelection } from '../store/store.ts';
import { loadKubeConfig } from './client-config.ts';
import { translateError } from './client-errors.ts';
import { openKubeHttp } from './client-http.ts';
import type { KubeApi, KubeNode } from './kube.ts';

export interface KubeApiOptions {
  readonly selection: KubeSelection;
  readonly host: Host;
  /** For each method as a whole, however many pages it reads. */
  readonly timeoutMs: number;
}

const PAGE = 500;

/** Nothing is sent yet. @throws what {@link loadKubeConfig} throws. */
export async function openKubeApi({ selection, host, timeoutMs }: KubeApiOptions): Promise<KubeApi> {
  const config = await loadKubeConfig(selection, host);
  const server = withoutUserInfo(config.getCurrentCluster()?.server ?? '');
  const http = openKubeHttp();
  const prefix = annotationPrefix(selection.annotationPrefix);
  const call = async <T>(what: string, work: (api: CoreV1Api) => Promise<T>): Promise<T> => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await work(apiOf(config, http.library(signal)));
    } catch (error) {
      throw translateError(signal.aborted ? signal.reason : error, { server, what, timeoutMs });
    }
  };
  return {
    description: server,
    listNodes: () => call('list nodes', (api) => listAllNodes(api, prefix)),
    readConfigMap: (namespace, name) =>
      call(`get configmap ${namespace}/${name}`, async (api) => {
        const { data, metadata } = await api.readNamespacedConfigMap({ namespace, name });
        return { data: data ?? {}, resourceVersion: metadata?.resourceVersion ?? '' };
      }),
    close: () => http.close(),
  };
}

function apiOf(config: KubeConfig, httpApi: ReturnType<ReturnType<typeof openKubeHttp>['library']>): CoreV1Api {
  const server = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  const baseServer = new ServerConfiguration(server, {});
  return new CoreV1Api(createConfiguration({ baseServer, httpApi, authMethods: { default: config } }));
}

/** Each page is reduced at once: a Node with its images is ten kilobytes, what we keep of it is a few hundred bytes. */
async function listAllNodes(api: CoreV1Api, prefix: string) {
  const nodes: KubeNode[] = [];
  let resourceVersion = '';
  for (let next: string | undefined = ''; next !== undefined; ) {
    const page = await api.listNode({ limit: PAGE, ...(next === '' ? {} : { _continue: next }) });
    nodes.push(...page.items.map((node) => toKubeNode(node, prefix)));
    resourceVersion ||= page.metadata?.resourceVersion ?? '';
    next = page.metadata?._continue || undefined;
  }
  return { nodes, resourceVersion };
}

function toKubeNode({ metadata, spec, status }: V1Node, prefix: string): KubeNode {
  const annotations = Object.entries(metadata?.annotations ?? {});
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    name: metadata?.name ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    podCidrs: spec?.podCIDRs ?? [],
    podCidr: spec?.podCIDR || null,
    flannelAnnotations: Object.fromEntries(
      annotations
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), value]),
    ),
    addresses: (status?.addresses ?? []).map(({ type, address }) => ({ type, address })),
    ready: ready === undefined ? null : { status: ready.status, since: epochOf(ready.lastTransitionTime) },
  };
}

function epochOf(time: Date | undefined): number | null {
  const at = time?.getTime();
  return at === undefined || Number.isNaN(at) ? null : at;
}

/** flannel pkg/subnet/kube: a `/` is appended where there is none, else a `-` where it ends in neither. */
function annotationPrefix(given: string): string {
  if (!given.includes('/')) return `${given}/`;
  return /[-/]$/.test(given) ? given : `${given}-`;
}

function withoutUserInfo(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/, '$1');
}
