import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { liveHost } from '../../src/host/live.ts';
import { openKubeApi } from '../../src/kube/client.ts';
import type { OwnNode } from '../../src/store/assigned.ts';
import { kubeStore } from '../../src/store/kube.ts';
import type { KubeSelection, LeaseAttributes } from '../../src/store/store.ts';
import { type KubeApiServer, startKubeApi } from '../support/kube-api-server.ts';
import { makeNode } from '../support/kube-objects.ts';

const PREFIX = 'flannel.alpha.coreos.com';
const ATTRIBUTES: LeaseAttributes = {
  publicIp: '192.168.9.1',
  publicIpv6: null,
  backendType: 'vxlan',
  vtep: { vni: 1, mac: '02:00:00:00:00:01' },
  vtepV6: null,
  backendData: { VNI: 1, VtepMAC: '02:00:00:00:00:01' },
  backendV6Data: null,
};

let api: KubeApiServer;
beforeEach(async () => {
  api = await startKubeApi();
});
afterEach(() => api.close());

const SELECTION: KubeSelection = {
  kind: 'kube',
  apiUrl: '',
  kubeconfigFile: '',
  context: '',
  annotationPrefix: PREFIX,
  netConfigPath: '/nowhere',
  node: { name: 'n1' },
};

async function open(node: OwnNode = { name: 'n1' }) {
  const host = liveHost({ root: '/' });
  const selection = { ...SELECTION, apiUrl: api.url, node };
  const kube = await openKubeApi({ selection, host, timeoutMs: 2000 });
  return { kube, store: kubeStore({ selection, host, kube }) };
}

describe("the agent's own Node", () => {
  it('gets the annotations that peers read, by one patch of its status', async () => {
    api.setNode(makeNode('n1', { podCidrs: ['10.244.3.0/24'] }));
    const { store } = await open();
    const lease = await store.acquire({ attributes: ATTRIBUTES });
    expect(lease).toMatchObject({ key: 'n1', subnet: '10.244.3.0/24', expiresAt: null });
    expect(api.node('n1')?.metadata.annotations).toMatchObject({
      [`${PREFIX}/kube-subnet-manager`]: 'true',
      [`${PREFIX}/public-ip`]: '192.168.9.1',
      [`${PREFIX}/backend-data`]: '{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}',
    });
    const patches = api.requests.filter(({ method }) => method === 'PATCH');
    expect(patches.map(({ path }) => path)).toEqual(['/api/v1/nodes/n1/status']);
  });

  it('is not written when it says so already', async () => {
    api.setNode(makeNode('n1', { podCidrs: ['10.244.3.0/24'] }));
    const { store } = await open();
    await store.renew(await store.acquire({ attributes: ATTRIBUTES }), ATTRIBUTES);
    expect(api.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
  });

  it('publishes the address that the administrator put over ours', async () => {
    const annotations = { [`${PREFIX}/public-ip-overwrite`]: '203.0.113.5' };
    api.setNode(makeNode('n1', { podCidrs: ['10.244.3.0/24'], annotations }));
    const { store } = await open();
    expect((await store.acquire({ attributes: ATTRIBUTES })).attributes.publicIp).toBe('203.0.113.5');
  });

  it('is not written over when another agent publishes from it', async () => {
    api.setNode(makeNode('n1', { podCidrs: ['10.244.3.0/24'] }));
    const { store } = await open();
    const ours = await store.acquire({ attributes: ATTRIBUTES });
    const other = { ...ATTRIBUTES, vtep: { vni: 1, mac: '02:00:00:00:00:02' }, backendData: null };
    await store.acquire({ attributes: other });
    await expect(store.renew(ours, ATTRIBUTES)).rejects.toMatchObject({ exitCode: 75 });
  });

  it('without a podCIDR says what has to be done', async () => {
    api.setNode(makeNode('n1'));
    const { store } = await open();
    await expect(store.acquire({ attributes: ATTRIBUTES })).rejects.toMatchObject({
      message: 'node n1 has no podCIDR',
      hint: expect.stringContaining('--allocate-node-cidrs'),
    });
  });

  it('is looked for again until it is there, and named', async () => {
    const { store } = await open();
    await expect(store.acquire({ attributes: ATTRIBUTES })).rejects.toMatchObject({ message: 'there is no node n1' });
  });

  it('is written again when the kubelet was quicker', async () => {
    api.setNode(makeNode('n1', { podCidrs: ['10.244.3.0/24'] }));
    const { kube, store } = await open();
    let left = 2;
    const busy: typeof kube = {
      ...kube,
      readNode: async (name) => {
        const node = await kube.readNode(name);
        if (left > 0) api.setNode(makeNode('n1', { podCidrs: ['10.244.3.0/24'] }));
        left -= 1;
        return node;
      },
    };
    const host = liveHost({ root: '/' });
    const beside = kubeStore({ selection: { ...SELECTION, apiUrl: api.url }, host, kube: busy });
    expect((await beside.acquire({ attributes: ATTRIBUTES })).subnet).toBe('10.244.3.0/24');
    expect(api.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(3);
    expect((await store.listLeases()).records).toHaveLength(1);
  });

  it('is that of the Pod where only the Pod is known, which is asked for once', async () => {
    api.setNode(makeNode('n1', { podCidrs: ['10.244.3.0/24'] }));
    api.setPod('kube-flannel', 'kube-flannel-ds-x', 'n1');
    const { store } = await open({ pod: { namespace: 'kube-flannel', name: 'kube-flannel-ds-x' } });
    const lease = await store.acquire({ attributes: ATTRIBUTES });
    await store.renew(lease, ATTRIBUTES);
    expect(lease.key).toBe('n1');
    expect(api.requests.filter(({ path }) => path.includes('/pods/'))).toHaveLength(1);
  });

  it('is not known while the Pod is on none', async () => {
    api.setPod('kube-flannel', 'kube-flannel-ds-x', '');
    const { store } = await open({ pod: { namespace: 'kube-flannel', name: 'kube-flannel-ds-x' } });
    await expect(store.acquire({ attributes: ATTRIBUTES })).rejects.toMatchObject({
      message: 'the pod kube-flannel/kube-flannel-ds-x is on no Node yet',
    });
  });

  it('is foreseen as it would be published, without being written', async () => {
    const annotations = { [`${PREFIX}/public-ip-overwrite`]: '203.0.113.5' };
    api.setNode(makeNode('n1', { podCidrs: ['10.244.3.0/24'], annotations }));
    const { store } = await open();
    const foreseen = await store.assigned?.preview(ATTRIBUTES);
    expect(api.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(foreseen).toEqual({
      ...(await store.acquire({ attributes: ATTRIBUTES })),
      modRevision: foreseen?.modRevision,
    });
  });

  it('says that we may not when the role does not let us', async () => {
    api.setNode(makeNode('n1', { podCidrs: ['10.244.3.0/24'] }));
    api.deny(({ method }) => method === 'PATCH');
    const { store } = await open();
    await expect(store.acquire({ attributes: ATTRIBUTES })).rejects.toMatchObject({ exitCode: 77 });
  });

  it('gets the condition beside those that it has', async () => {
    api.setNode(makeNode('n1', { podCidrs: ['10.244.3.0/24'] }));
    const { kube } = await open();
    const condition = {
      type: 'NetworkUnavailable',
      status: 'False',
      reason: 'FlannelIsUp',
      message: 'up',
      at: 0,
    } as const;
    await kube.patchNodeStatus('n1', { condition });
    expect(api.node('n1')?.status.conditions.map(({ type, status }) => `${type}=${status}`)).toEqual([
      'Ready=True',
      'NetworkUnavailable=False',
    ]);
  });
});
