import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { liveHost } from '../../src/host/live.ts';
import { openKubeApi } from '../../src/kube/client.ts';
import type { KubeApi } from '../../src/kube/kube.ts';
import { kubeStore } from '../../src/store/kube.ts';
import type { KubeSelection } from '../../src/store/store.ts';
import { freePort } from '../support/free-port.ts';
import { type KubeApiServer, startKubeApi } from '../support/kube-api-server.ts';
import { flannelAnnotations, makeNode } from '../support/kube-objects.ts';

const host = liveHost({ root: '/' });
const TIMEOUT_MS = 1000;

let server: KubeApiServer;
let folder: string;
const opened: KubeApi[] = [];
beforeEach(async () => {
  server = await startKubeApi({ token: 'open-sesame' });
  folder = await mkdtemp(join(tmpdir(), 'fctl-kube-'));
  await writeFile(join(folder, 'token'), 'open-sesame\n');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((api) => api.close()));
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function selectionOf(user: string, url = server.url): Promise<KubeSelection> {
  const kubeconfigFile = join(folder, 'kubeconfig');
  const text = [
    'apiVersion: v1\nkind: Config\ncurrent-context: test',
    `clusters: [{name: c, cluster: {server: "${url}"}}]`,
    `users: [{name: u, user: ${user}}]`,
    'contexts: [{name: test, context: {cluster: c, user: u}}]\n',
  ];
  await writeFile(kubeconfigFile, text.join('\n'));
  const annotationPrefix = 'flannel.alpha.coreos.com';
  return {
    kind: 'kube',
    apiUrl: '',
    kubeconfigFile,
    context: '',
    annotationPrefix,
    netConfigPath: join(folder, 'net.json'),
  };
}

async function open(selection: KubeSelection): Promise<KubeApi> {
  const api = await openKubeApi({ selection, host, timeoutMs: TIMEOUT_MS });
  opened.push(api);
  return api;
}

async function openWithToken(): Promise<KubeApi> {
  return open(await selectionOf('{tokenFile: token}'));
}

const MAC = 'c6:d2:32:6f:8f:44';

test('lists what flannel says of a node and nothing of its other annotations', async () => {
  const annotations = { ...flannelAnnotations('192.0.2.1', MAC), 'example.com/secret': 'x' };
  server.setNode(
    makeNode('a', {
      podCidrs: ['10.244.0.0/24'],
      annotations,
      addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
    }),
  );
  const { nodes } = await (await openWithToken()).listNodes();
  expect(nodes).toEqual([
    {
      name: 'a',
      resourceVersion: '2',
      podCidrs: ['10.244.0.0/24'],
      podCidr: '10.244.0.0/24',
      flannelAnnotations: {
        'kube-subnet-manager': 'true',
        'backend-type': 'vxlan',
        'backend-data': JSON.stringify({ VNI: 1, VtepMAC: MAC }),
        'public-ip': '192.0.2.1',
      },
      addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
      ready: { status: 'True', since: Date.parse('2026-01-02T03:04:05Z') },
    },
  ]);
});

test('reads 1,200 nodes in pages of 500 over few connections', async () => {
  for (let index = 0; index < 1200; index += 1) server.setNode(makeNode(`n${index}`));
  const { nodes } = await (await openWithToken()).listNodes();
  expect(nodes).toHaveLength(1200);
  expect(server.requests.map(({ query }) => query.get('limit'))).toEqual(['500', '500', '500']);
  expect(server.connections).toBeLessThan(3);
});

test('sends the token of a tokenFile, which lies beside the kubeconfig', async () => {
  await (await openWithToken()).listNodes();
  expect(server.requests[0]?.authorization).toBe('Bearer open-sesame');
});

test('says that the API does not know us', async () => {
  const api = await open(await selectionOf('{token: wrong}'));
  await expect(api.listNodes()).rejects.toMatchObject({
    reason: 'permission',
    message: expect.stringContaining(server.url),
  });
});

test('does not take a forbidden list for an empty one', async () => {
  server.deny(({ path }) => path === '/api/v1/nodes');
  const api = await openWithToken();
  const message = `the Kubernetes API at ${server.url} does not let us list nodes (403)`;
  await expect(api.listNodes()).rejects.toMatchObject({ reason: 'permission', message });
});

test('says that the API refuses the connection', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const api = await open(await selectionOf('{token: x}', url));
  const message = `the Kubernetes API at ${url} refused the connection`;
  await expect(api.listNodes()).rejects.toMatchObject({ reason: 'unreachable', message });
});

test('gives up on a silent API after the time limit', async () => {
  server.delay(Number.POSITIVE_INFINITY);
  const start = performance.now();
  const message = `the Kubernetes API at ${server.url} did not answer within 1 s`;
  await expect((await openWithToken()).listNodes()).rejects.toMatchObject({ reason: 'timeout', message });
  expect(performance.now() - start).toBeLessThan(TIMEOUT_MS + 300);
});

test('reads a ConfigMap', async () => {
  server.setConfigMap('kube-flannel', 'kube-flannel-cfg', { 'net-conf.json': '{}' });
  const { data } = await (await openWithToken()).readConfigMap('kube-flannel', 'kube-flannel-cfg');
  expect(data).toEqual({ 'net-conf.json': '{}' });
});

test('says that a ConfigMap is not there', async () => {
  await expect((await openWithToken()).readConfigMap('kube-flannel', 'x')).rejects.toMatchObject({ code: 'absent' });
});

test('knows the contexts of a kubeconfig when it is given a wrong one', async () => {
  const selection = { ...(await selectionOf('{token: x}')), context: 'prod' };
  await expect(open(selection)).rejects.toMatchObject({ exitCode: 64, hint: 'It has: test.' });
});

test('says which file is no kubeconfig', async () => {
  const selection = await selectionOf('{token: x}');
  await writeFile(selection.kubeconfigFile, ': : [');
  await expect(open(selection)).rejects.toMatchObject({
    reason: 'malformed',
    message: expect.stringContaining('kubeconfig'),
  });
});

test('makes leases of the nodes that flannel shows to its peers', async () => {
  server.setNode(makeNode('a', { podCidrs: ['10.244.0.0/24'], annotations: flannelAnnotations('192.0.2.1', MAC) }));
  server.setNode(makeNode('invisible', { podCidrs: ['10.244.1.0/24'] }));
  const selection = await selectionOf('{tokenFile: token}');
  const store = kubeStore({ selection, host, kube: await open(selection) });
  const { records } = await store.listLeases();
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({
    kind: 'lease',
    node: 'a',
    subnet: '10.244.0.0/24',
    expiresAt: null,
    attributes: { publicIp: '192.0.2.1', vtep: { vni: 1, mac: MAC } },
  });
});

test('reads the network configuration from the file that flannel reads', async () => {
  const selection = await selectionOf('{tokenFile: token}');
  await writeFile(selection.netConfigPath, '{"Network":"10.244.0.0/16"}');
  const store = kubeStore({ selection, host, kube: await open(selection) });
  expect(await store.readNetworkConfig()).toMatchObject({
    text: '{"Network":"10.244.0.0/16"}',
    source: selection.netConfigPath,
  });
});

test('has nothing to acquire', async () => {
  const selection = await selectionOf('{tokenFile: token}');
  const store = kubeStore({ selection, host, kube: await open(selection) });
  const none = { backendType: '', vtep: null, vtepV6: null, backendData: null, backendV6Data: null };
  const request = { attributes: { publicIp: '192.0.2.1', publicIpv6: null, ...none } };
  await expect(store.acquire(request)).rejects.toMatchObject({ reason: 'unsupported' });
});

test("takes the way in of flanneld's own pod: its URL, token and certificate authority", async () => {
  await writeFile(join(folder, 'ca.crt'), '');
  server.setNode(makeNode('a', { podCidrs: ['10.244.0.0/24'] }));
  const selection = { ...(await selectionOf('{}')), kubeconfigFile: '', apiUrl: server.url, serviceAccountDir: folder };
  const { nodes } = await (await open(selection)).listNodes();
  expect(nodes.map(({ name }) => name)).toEqual(['a']);
});
