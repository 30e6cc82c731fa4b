import { openEtcdStore, openRawEtcd } from '../../src/store/etcd.ts';
import type { EtcdSelection } from '../../src/store/store.ts';
import { type EtcdServer, startEtcd } from './etcd-server.ts';
import { type Bench, fileBench, host } from './store-benches.ts';

export interface SharedBenches {
  /** An empty datastore: below a prefix of its own in one etcd, or a file of its own. */
  make(kind: 'etcd' | 'file'): Promise<Bench & { readonly prefix: string }>;
  close(): Promise<void>;
}

/** Benches for a whole test file; one etcd serves all of them, started when it is first needed. */
export function sharedBenches(): SharedBenches {
  const benches: Bench[] = [];
  let etcd: Promise<EtcdServer> | undefined;
  return {
    make: async (kind) => {
      etcd ??= startEtcd();
      const prefix = `/bench-${benches.length}`;
      const bench = kind === 'file' ? await fileBench() : await prefixBench((await etcd).endpoint, prefix);
      benches.push(bench);
      return { ...bench, prefix };
    },
    close: async () => {
      await Promise.all(benches.map((bench) => bench.close()));
      await (await etcd)?.stop();
    },
  };
}

async function prefixBench(endpoint: string, prefix: string): Promise<Bench> {
  const none = { keyFile: '', certFile: '', caFile: '', username: '' };
  const selection: EtcdSelection = { kind: 'etcd', endpoints: [endpoint], prefix, ...none };
  const options = { selection, host, secrets: {}, timeoutMs: 5000 };
  const raw = await openRawEtcd(options);
  const opened: { close(): Promise<void> }[] = [raw];
  return {
    raw,
    open: async () => {
      const store = await openEtcdStore(options);
      opened.push(store);
      return store;
    },
    close: async () => {
      for (const one of opened) await one.close();
    },
  };
}
