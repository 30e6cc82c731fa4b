import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openKubeApi } from '../../src/kube/client.ts';
import { kubeStore } from '../../src/store/kube.ts';
import type { SubnetStore } from '../../src/store/store.ts';
import { startKubeApi } from '../support/kube-api-server.ts';
import { flannelAnnotations, makeNode } from '../support/kube-objects.ts';
import { type Bench, CONFIG, configured, etcdBench, fileBench, host } from '../support/store-benches.ts';

/** The API server shows the same leases as Nodes; nothing can be written through it. */
async function kubeReader(): Promise<Reader> {
  const server = await startKubeApi();
  const folder = await mkdtemp(join(tmpdir(), 'fctl-kube-'));
  const kubeconfigFile = join(folder, 'kubeconfig');
  const netConfigPath = join(folder, 'net-conf.json');
  const cluster = `clusters: [{name: c, cluster: {server: "${server.url}"}}]\nusers: [{name: u, user: {token: t}}]`;
  await writeFile(
    kubeconfigFile,
    `current-context: t\n${cluster}\ncontexts: [{name: t, context: {cluster: c, user: u}}]\n`,
  );
  await writeFile(netConfigPath, CONFIG);
  const annotations = flannelAnnotations('192.0.2.1', MAC);
  server.setNode(makeNode('a', { podCidrs: ['10.244.7.0/24'], annotations }));
  const broken = { ...annotations, 'flannel.alpha.coreos.com/public-ip': 'nowhere\u001b[2J' };
  server.setNode(makeNode('b', { podCidrs: ['10.244.8.0/24'], annotations: broken }));
  const names = { apiUrl: '', context: '', annotationPrefix: 'flannel.alpha.coreos.com' };
  const selection = { kind: 'kube', kubeconfigFile, netConfigPath, ...names } as const;
  const kube = await openKubeApi({ selection, host, timeoutMs: 5000 });
  const store = kubeStore({ selection, host, kube });
  const close = async () => {
    await store.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { store, close };
}

interface Reader {
  readonly store: SubnetStore;
  close(): Promise<void>;
}

/** The same two records in a store that is written by keys. */
function readerOf(make: () => Promise<Bench>): () => Promise<Reader> {
  return async () => {
    const bench = await make();
    const store = await configured(bench, CONFIG);
    const data = { BackendType: 'vxlan', BackendData: { VNI: 1, VtepMAC: MAC } };
    await bench.raw.put('10.244.7.0-24', JSON.stringify({ PublicIP: '192.0.2.1', ...data }));
    await bench.raw.put('10.244.8.0-24', JSON.stringify({ PublicIP: 'nowhere\u001b[2J', ...data }));
    return { store, close: bench.close };
  };
}

const MAC = 'c6:d2:32:6f:8f:44';

describe.each([
  ['etcd', readerOf(etcdBench)],
  ['file', readerOf(fileBench)],
  ['kube', kubeReader],
] as const)('what the %s store is read as', (_, make) => {
  let reader: Reader;
  beforeAll(async () => {
    reader = await make();
  });
  afterAll(() => reader.close());

  test('holds the network configuration as text, and where it is', async () => {
    const { text, source } = await reader.store.readNetworkConfig();
    expect(text).toBe(CONFIG);
    expect(source).not.toBe('');
  });

  test('holds a lease with its subnet, its public IP and its VTEP', async () => {
    const [lease] = (await reader.store.listLeases()).records;
    const attributes = { publicIp: '192.0.2.1', backendType: 'vxlan', vtep: { vni: 1, mac: MAC }, vtepV6: null };
    expect(lease).toMatchObject({
      kind: 'lease',
      subnet: '10.244.7.0/24',
      ipv6Subnet: null,
      expiresAt: null,
      attributes,
    });
  });

  test('holds a record whose public IP does not parse as unreadable, its text escaped', async () => {
    const { records } = await reader.store.listLeases();
    expect(records[1]).toMatchObject({ kind: 'unreadable-value', subnet: '10.244.8.0/24' });
    const shown = records[1]?.kind === 'unreadable-value' ? records[1].value : '';
    expect(shown).toContain('nowhere');
    expect(shown).not.toContain('\u001b');
  });

  test('says where it was read and at which revision', async () => {
    const { revision, source } = await reader.store.listLeases();
    expect(revision).toMatch(/^\d+$/);
    expect(source).toContain(reader.store.kind === 'kube' ? 'kubernetes http://127.0.0.1' : reader.store.kind);
  });
});
