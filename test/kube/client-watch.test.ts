import { afterEach, beforeEach, expect, test } from 'vitest';
import { openKubeApi } from '../../src/kube/client.ts';
import { kubeStore } from '../../src/store/kube.ts';
import type { SubnetStore } from '../../src/store/store.ts';
import { type KubeApiServer, startKubeApi } from '../support/kube-api-server.ts';
import { flannelAnnotations, makeNode } from '../support/kube-objects.ts';
import { host } from '../support/store-benches.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { briefly, countOf, watching } from '../support/watching.ts';

let server: KubeApiServer;
let store: SubnetStore;
beforeEach(async () => {
  server = await startKubeApi();
  store = await open();
});
afterEach(async () => {
  await store.close();
  await server.close();
});

async function open(): Promise<SubnetStore> {
  const folder = await temporaryDirectory();
  const names = { kubeconfigFile: '', context: '', annotationPrefix: 'flannel.alpha.coreos.com' };
  const selection = { kind: 'kube', apiUrl: server.url, netConfigPath: `${folder}/net.json`, ...names } as const;
  return kubeStore({ selection, host, kube: await openKubeApi({ selection, host, timeoutMs: 1000 }) });
}

function setNode(name: string, id: number, publicIp = `192.0.2.${id}`): void {
  const annotations = flannelAnnotations(publicIp, `02:00:00:00:00:0${id}`);
  server.setNode(makeNode(name, { podCidrs: [`10.244.${id}.0/24`], annotations }));
}

test('begins with the nodes that are there and tells their changes', async () => {
  setNode('a', 1);
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  setNode('b', 2);
  setNode('a', 1, '192.0.2.9');
  server.deleteNode('b');
  await watch.until((events) => events.length === 4);
  expect(watch.events.map(briefly)).toEqual(['snapshot null 1', 'put b', 'put a', 'delete b']);
  await watch.end();
});

test('does not tell the heartbeat of a kubelet', async () => {
  setNode('a', 1);
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  for (let beat = 0; beat < 5; beat += 1) setNode('a', 1);
  setNode('b', 2);
  await watch.until((events) => countOf(events, 'put') > 0);
  expect(watch.events.map(briefly)).toEqual(['snapshot null 1', 'put b']);
  await watch.end();
});

test('takes a condition whose time Go wrote as null', async () => {
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  const annotations = flannelAnnotations('192.0.2.1', '02:00:00:00:00:01');
  const node = makeNode('a', { podCidrs: ['10.244.1.0/24'], annotations });
  const nothing: string = JSON.parse('null');
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: nothing }];
  server.setNode({ ...node, status: { ...node.status, conditions } });
  await watch.until((events) => events.length === 2);
  expect(watch.events.map(briefly)).toEqual(['snapshot null 0', 'put a']);
  await watch.end();
});

test('tells both families of a node of which only the IPv4 fields changed', async () => {
  const dual = (publicIp: string) => ({
    ...flannelAnnotations(publicIp, '02:00:00:00:00:01'),
    'flannel.alpha.coreos.com/public-ipv6': 'fd00:9::1',
    'flannel.alpha.coreos.com/backend-v6-data': '{"VNI":1,"VtepMAC":"02:00:00:00:00:61"}',
  });
  const podCidrs = ['10.244.1.0/24', 'fd00:244:1::/64'];
  server.setNode(makeNode('a', { podCidrs, annotations: dual('192.0.2.1') }));
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  server.setNode(makeNode('a', { podCidrs, annotations: dual('192.0.2.7') }));
  await watch.until((events) => events.length === 2);
  expect(watch.events[1]).toMatchObject({
    type: 'put',
    record: {
      subnet: '10.244.1.0/24',
      ipv6Subnet: 'fd00:244:1::/64',
      attributes: { publicIp: '192.0.2.7', publicIpv6: 'fd00:9::1', vtepV6: { mac: '02:00:00:00:00:61' } },
    },
  });
  await watch.end();
});

test('tells another podCIDR of a node whose annotations stayed', async () => {
  setNode('a', 1);
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  const annotations = flannelAnnotations('192.0.2.1', '02:00:00:00:00:01');
  server.setNode(makeNode('a', { podCidrs: ['10.244.9.0/24'], annotations }));
  await watch.until((events) => events.length === 2);
  expect(watch.events[1]).toMatchObject({ type: 'put', record: { key: 'a', subnet: '10.244.9.0/24' } });
  await watch.end();
});

test('tells a node that flannel no longer shows to its peers as gone', async () => {
  setNode('a', 1);
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  server.setNode(makeNode('a', { podCidrs: ['10.244.1.0/24'] }));
  await watch.until((events) => events.length === 2);
  expect(watch.events.map(briefly)).toEqual(['snapshot null 1', 'delete a']);
  await watch.end();
});

test('goes on without a gap where the API ended the watch', async () => {
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  for (let id = 1; id < 8; id += 1) {
    setNode(`n${id}`, id);
    server.endWatches();
    await watch.until((events) => countOf(events, 'put') === id);
  }
  expect(countOf(watch.events, 'snapshot')).toBe(1);
  expect(watch.interruptions).toEqual([]);
  await watch.end();
});

test('begins again with a snapshot where the API has forgotten what came since', async () => {
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  await untilWatched();
  server.deny(({ query }) => query.get('watch') === 'true');
  server.endWatches();
  await watch.until(() => watch.interruptions.length > 0);
  setNode('a', 1);
  server.compact();
  server.deny(() => false);
  await watch.until((events) => countOf(events, 'snapshot') > 1 && briefly(events.at(-1) ?? never()).endsWith(' 1'));
  setNode('b', 2);
  await watch.until((events) => countOf(events, 'put') === 1);
  expect(watch.interruptions[0]).toMatchObject({ reason: 'permission' });
  await watch.end();
});

test('is told 410 as an event and lists again', async () => {
  setNode('a', 1);
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  await untilWatched();
  // something that is no node of ours goes on, and the API forgets
  server.setNode(makeNode('other'));
  server.endWatches();
  server.setNode(makeNode('other2'));
  server.compact();
  await watch.until((events) => countOf(events, 'snapshot') === 2);
  expect(watch.events.map(briefly)).toEqual(['snapshot null 1', 'snapshot compacted 1']);
  expect(watch.interruptions).toEqual([]);
  await watch.end();
});

test('remembers a bookmark, so that a quiet watch does not fall behind', async () => {
  setNode('a', 1);
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  await untilWatched();
  server.setNode(makeNode('other'));
  server.compact();
  server.bookmark();
  await new Promise((resolve) => setTimeout(resolve, 50));
  server.endWatches();
  setNode('b', 2);
  await watch.until((events) => countOf(events, 'put') === 1);
  expect(watch.events.map(briefly)).toEqual(['snapshot null 1', 'put b']);
  await watch.end();
});

test('takes a snapshot after its connection was torn', async () => {
  const watch = watching(store);
  await watch.until((events) => events.length === 1);
  await untilWatched();
  server.cutWatches();
  setNode('a', 1);
  await watch.until((events) => briefly(events.at(-1) ?? never()) === 'snapshot reconnected 1');
  expect(watch.interruptions).toHaveLength(1);
  await watch.end();
});

test('says that the first list cannot be read', async () => {
  server.deny(() => true);
  await expect(watching(store).until((events) => events.length > 0)).rejects.toMatchObject({ reason: 'permission' });
});

test('dumps what flannel says of each node', async () => {
  setNode('a', 1);
  server.setNode(makeNode('invisible', { podCidrs: ['10.244.9.0/24'] }));
  const { records, config } = await store.dump();
  expect(config).toBeNull();
  expect(records.map(({ key, ttlSeconds }) => [key, ttlSeconds])).toEqual([['a', null]]);
  const value = JSON.parse(Buffer.from(records[0]?.valueBase64 ?? '', 'base64').toString());
  expect(value).toMatchObject({ podCIDR: '10.244.1.0/24', annotations: { 'public-ip': '192.0.2.1' } });
});

test('refuses every write and says what to use instead', async () => {
  setNode('a', 1);
  const [record] = (await store.listLeases()).records;
  if (record?.kind !== 'lease') throw new Error('there is no lease');
  const dumped = { key: 'a', valueBase64: '', modRevision: '1', etcdLease: null, ttlSeconds: null };
  const writes = [
    () => store.renew(record, record.attributes),
    () => store.remove(record),
    () => store.putBack(dumped, null),
  ];
  for (const write of writes) {
    await expect(write()).rejects.toMatchObject({ reason: 'unsupported', hint: expect.stringMatching(/[Nn]ode/) });
  }
  expect(server.requests.every(({ method }) => method === 'GET')).toBe(true);
});

async function untilWatched(): Promise<void> {
  const isWatch = ({ query }: { readonly query: URLSearchParams }) => query.get('watch') === 'true';
  while (!server.requests.some(isWatch)) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 30));
}

function never(): never {
  throw new Error('there is no event');
}
