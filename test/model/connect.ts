import { liveHost } from '../../src/host/live.ts';
import type { ConnectOptions } from '../../src/store/etcd-connection.ts';

export function connectTo(endpoint: string): ConnectOptions {
  const files = { keyFile: '', certFile: '', caFile: '' };
  return {
    selection: { kind: 'etcd', endpoints: [endpoint], prefix: '/model', username: '', ...files },
    host: liveHost({ root: '/' }),
    secrets: {},
    timeoutMs: 30_000,
  };
}
