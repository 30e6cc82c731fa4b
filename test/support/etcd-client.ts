import { liveHost } from '../../src/host/live.ts';
import { openEtcdStore } from '../../src/store/etcd.ts';
import type { EtcdSelection, LeaseAttributes, StoreSecrets, SubnetStore } from '../../src/store/store.ts';
import { startProxy, type TcpProxy } from './proxy.ts';

export const TIMEOUT_MS = 1500;
export const PREFIX = '/coreos.com/network';

type Limits = StoreSecrets & { readonly timeoutMs?: number };

const stores: SubnetStore[] = [];
export const proxies: TcpProxy[] = [];
/** Closes what the test opened. */
export async function closeAll(): Promise<void> {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
}

export async function open(endpoints: readonly string[], more: Partial<EtcdSelection> = {}, limits: Limits = {}) {
  const { timeoutMs = TIMEOUT_MS, ...secrets } = limits;
  const selection = selectionOf(endpoints, more);
  const store = await openEtcdStore({ selection, host: liveHost({ root: '/' }), secrets, timeoutMs });
  stores.push(store);
  return store;
}

export function selectionOf(endpoints: readonly string[], more: Partial<EtcdSelection> = {}): EtcdSelection {
  const none = { keyFile: '', certFile: '', caFile: '', username: '' };
  return { kind: 'etcd', endpoints, prefix: PREFIX, ...none, ...more };
}

export async function stalledEndpoint(target: number): Promise<string> {
  const proxy = await startProxy(target, 'stalled');
  proxies.push(proxy);
  return `http://127.0.0.1:${proxy.port}`;
}

/** What the store says, and how long that took. */
export async function failureOf(work: Promise<unknown>) {
  const start = performance.now();
  const [outcome] = await Promise.allSettled([work]);
  const tookMs = performance.now() - start;
  return { tookMs, error: outcome?.status === 'rejected' ? outcome.reason : undefined };
}

export const attributes: LeaseAttributes = {
  publicIp: '192.0.2.1',
  publicIpv6: null,
  backendType: 'vxlan',
  vtep: { vni: 1, mac: 'c6:d2:32:6f:8f:44' },
  vtepV6: null,
  backendData: null,
  backendV6Data: null,
};
