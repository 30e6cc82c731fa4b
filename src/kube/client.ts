import { CoreV1Api, createConfiguration, type KubeConfig, ServerConfiguration } from '@kubernetes/client-node';
import { AbsentError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { KubeSelection } from '../store/store.ts';
import { loadKubeConfig } from './client-config.ts';
import { translateError } from './client-errors.ts';
import { openKubeHttp } from './client-http.ts';
import { patchStatus, statusPatch } from './client-node-status.ts';
import { listAllNodes, toKubeNode } from './client-nodes.ts';
import { watchAllNodes } from './client-watch.ts';
import type { KubeApi } from './kube.ts';

export interface KubeApiOptions {
  readonly selection: KubeSelection;
  readonly host: Host;
  /** For each method as a whole, however many pages it reads. */
  readonly timeoutMs: number;
}

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
      if (error instanceof AbsentError) throw error;
      throw translateError(signal.aborted ? signal.reason : error, { server, what, timeoutMs });
    }
  };
  const listNodes = () => call('list nodes', (api) => listAllNodes(api, prefix));
  return {
    description: server,
    listNodes,
    watchNodes: (signal, options = {}) =>
      watchAllNodes({ ...options, config, http, server, prefix, timeoutMs, signal, listNodes }),
    readConfigMap: (namespace, name) =>
      call(`get configmap ${namespace}/${name}`, async (api) => {
        const { data, metadata } = await api.readNamespacedConfigMap({ namespace, name });
        return { data: data ?? {}, resourceVersion: metadata?.resourceVersion ?? '' };
      }),
    readNode: (name) => call(`get node ${name}`, async (api) => toKubeNode(await api.readNode({ name }), prefix)),
    nodeOfPod: (namespace, name) =>
      call(`get pod ${namespace}/${name}`, async (api) => {
        const { spec } = await api.readNamespacedPod({ namespace, name });
        if (spec?.nodeName) return spec.nodeName;
        throw new AbsentError(`the pod ${namespace}/${name} is on no Node yet`);
      }),
    patchNodeStatus: (name, patch) =>
      call(`patch the status of node ${name}`, async (api) =>
        toKubeNode(await patchStatus(api, name, statusPatch(patch, prefix)), prefix),
      ),
    close: () => http.close(),
  };
}

function apiOf(config: KubeConfig, httpApi: ReturnType<ReturnType<typeof openKubeHttp>['library']>): CoreV1Api {
  const server = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  const baseServer = new ServerConfiguration(server, {});
  return new CoreV1Api(createConfiguration({ baseServer, httpApi, authMethods: { default: config } }));
}

/** flannel pkg/subnet/kube: a `/` is appended where there is none, else a `-` where it ends in neither. */
function annotationPrefix(given: string): string {
  if (!given.includes('/')) return `${given}/`;
  return /[-/]$/.test(given) ? given : `${given}-`;
}

function withoutUserInfo(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/, '$1');
}
