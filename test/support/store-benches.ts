import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveHost, liveWriter } from '../../src/host/live.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { openEtcdStore, openRawEtcd } from '../../src/store/etcd.ts';
import { fileStore, rawFileRecords } from '../../src/store/file.ts';
import type { AcquireRequest, EtcdSelection, LeaseAttributes, SubnetStore } from '../../src/store/store.ts';
import { startEtcd } from './etcd-server.ts';

export interface Raw {
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string, options?: { readonly ttlSeconds?: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

/** One datastore of its own: `open` gives another client of it, as another host would have. */
export interface Bench {
  open(): Promise<SubnetStore>;
  readonly raw: Raw;
  close(): Promise<void>;
}

export const host = liveHost({ root: '/' });
const writer = liveWriter({ root: '/' });

/** An etcd of its own. */
export async function etcdBench(): Promise<Bench> {
  const etcd = await startEtcd();
  const selection: EtcdSelection = {
    kind: 'etcd',
    endpoints: [etcd.endpoint],
    prefix: '/coreos.com/network',
    ...{ keyFile: '', certFile: '', caFile: '', username: '' },
  };
  const options = { selection, host, secrets: {}, timeoutMs: 5000 };
  const stores: SubnetStore[] = [];
  const raw = await openRawEtcd(options);
  return {
    raw,
    open: async () => {
      const store = await openEtcdStore(options);
      stores.push(store);
      return store;
    },
    close: async () => {
      await Promise.all([raw.close(), ...stores.map((store) => store.close())]);
      await etcd.stop();
    },
  };
}

export async function fileBench(): Promise<Bench> {
  const path = await mkdtemp(join(tmpdir(), 'fctl-store-'));
  return {
    raw: rawFileRecords({ host, writer, clock: systemClock, path }),
    open: async () => fileStore({ selection: { kind: 'file', path }, host, writer, clock: systemClock }),
    close: () => rm(path, { recursive: true, force: true }),
  };
}

export const CONFIG = JSON.stringify({ Network: '10.244.0.0/16', Backend: { Type: 'vxlan' } });
/** Three subnets: the first of the four is never handed out. */
export const SMALL = JSON.stringify({ Network: '10.9.0.0/22', SubnetLen: 24, Backend: { Type: 'vxlan' } });

export function attributesOf(publicIp: string | null, more: Partial<LeaseAttributes> = {}): LeaseAttributes {
  return {
    publicIp,
    publicIpv6: null,
    backendType: 'vxlan',
    vtep: { vni: 1, mac: 'c6:d2:32:6f:8f:44' },
    vtepV6: null,
    backendData: null,
    backendV6Data: null,
    ...more,
  };
}

export function requestOf(publicIp: string, more: Omit<AcquireRequest, 'attributes'> = {}): AcquireRequest {
  return { attributes: attributesOf(publicIp), ...more };
}

export async function withBench<T>(make: () => Promise<Bench>, work: (bench: Bench) => Promise<T>): Promise<T> {
  const bench = await make();
  try {
    return await work(bench);
  } finally {
    await bench.close();
  }
}

export async function configured(bench: Bench, config: string): Promise<SubnetStore> {
  const store = await bench.open();
  await store.writeNetworkConfig(config, null);
  return store;
}
