import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { liveHost } from '../../src/host/live.ts';
import { openKubeApi } from '../../src/kube/client.ts';
import { kubeStore } from '../../src/store/kube.ts';
import type { LeaseAttributes } from '../../src/store/store.ts';
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

async function open() {
  const host = liveHost({ root: '/' });
  const selection = {
    kind: 'kube',
    apiUrl: api.url,
    kubeconfigFile: '',
    context: '',
    annotationPrefix: PREFIX,
    netConfigPath: '/nowhere',
    nodeName: 'n1',
  } as const;
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
