import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CollectContext } from '../../src/facts/fact.ts';
import { flannelStartFact } from '../../src/facts/flannel.ts';
import { processesFact } from '../../src/facts/processes.ts';
import { bothManagersFact, managersHereFact } from '../../src/facts/subnet-managers.ts';
import { liveHost } from '../../src/host/live.ts';
import { openKubeApi } from '../../src/kube/client.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import { openEtcdStore } from '../../src/store/etcd.ts';
import { anInstall, etcdSelection } from '../support/etcd-selection.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { type KubeApiServer, startKubeApi } from '../support/kube-api-server.ts';
import { flannelAnnotations, makeNode } from '../support/kube-objects.ts';
import { contextWith } from '../support/probe-builders.ts';
import { recordedHost } from '../support/recorded.ts';

const MAC = 'c6:d2:32:6f:8f:44';
const host = liveHost({ root: '/' });

describe('both datastores', () => {
  let etcd: EtcdServer;
  let api: KubeApiServer;
  let folder: string;
  let context: CollectContext;
  beforeAll(async () => {
    [etcd, api] = await Promise.all([startEtcd(), startKubeApi()]);
    folder = await mkdtemp(join(tmpdir(), 'fctl-both-'));
    const kubeconfigFile = join(folder, 'kubeconfig');
    const cluster = `clusters: [{name: c, cluster: {server: "${api.url}"}}]\nusers: [{name: u, user: {token: t}}]`;
    const current = 'current-context: t\ncontexts: [{name: t, context: {cluster: c, user: u}}]';
    await writeFile(kubeconfigFile, `${current}\n${cluster}\n`);
    const value = JSON.stringify({
      PublicIP: '192.0.2.1',
      BackendType: 'vxlan',
      BackendData: { VNI: 1, VtepMAC: MAC },
    });
    const granted = /lease ([0-9a-f]+) granted/.exec(await etcd.ctl('lease', 'grant', '3600'))?.[1] ?? '';
    await etcd.ctl('put', '/coreos.com/network/subnets/10.244.1.0-24', value, `--lease=${granted}`);
    await etcd.ctl('put', '/coreos.com/network/subnets/10.244.9.0-24', value.replace('192.0.2.1', '192.0.2.9'));
    const node = (name: string, ip: string, status: 'True' | 'False') =>
      api.setNode({
        ...makeNode(name, { podCidrs: ['10.244.2.0/24'], annotations: flannelAnnotations(ip, MAC) }),
        status: { addresses: [], conditions: [{ type: 'Ready', status }] },
      });
    node('ready', '192.0.2.2', 'True');
    node('gone', '192.0.2.3', 'False');
    const selection = etcdSelection({ endpoints: [etcd.endpoint] });
    const options = { ...FLANNEL_DEFAULTS, etcdEndpoints: [etcd.endpoint], kubeconfigFile };
    const install = anInstall({ datastore: selection, options });
    context = {
      ...contextWith(recordedHost(), { [flannelStartFact.name]: install }),
      given: { flannel: { kubeconfigFile }, namesDatastore: true, peerLimit: null, storeTimeoutMs: 5000 },
      openStore: () => openEtcdStore({ selection, host, secrets: {}, timeoutMs: 5000 }),
      openKube: (kube) => openKubeApi({ selection: kube, host, timeoutMs: 5000 }),
    };
  });
  afterAll(async () => {
    await Promise.all([etcd.stop(), api.close(), rm(folder, { recursive: true })]);
  });

  test('are read where both are named: leases that somebody holds, and nodes that live', async () => {
    expect(await bothManagersFact.collect(context)).toMatchObject({
      etcd: [{ publicIp: '192.0.2.1', subnet: '10.244.1.0/24' }],
      kube: [{ publicIp: '192.0.2.2', subnet: '10.244.2.0/24' }],
      sources: [expect.stringContaining(etcd.endpoint), `kubernetes ${api.url}`],
    });
  });

  test('are not guessed where the user names one alone', async () => {
    const one = { ...context, given: { ...context.given, flannel: {} } };
    await expect(bothManagersFact.collect(one)).rejects.toMatchObject({ code: 'absent' });
  });

  test('that cannot be read are unknown, not empty', async () => {
    api.deny(() => true);
    const reading = bothManagersFact.collect(context);
    await expect(reading).rejects.toMatchObject({ reason: 'permission' });
    api.deny(() => false);
  });
});

test('the managers of the flanneld here are told by their command lines', async () => {
  const process = (pid: number, ...argv: readonly string[]) => ({
    ...{ pid, name: 'flanneld', argv: ['/opt/bin/flanneld', ...argv], state: 'S', startedAt: 0, cgroup: '' },
  });
  const processes = [
    process(1, '--etcd-endpoints=http://10.0.0.1:2379'),
    process(2, '-kube-subnet-mgr'),
    process(3, '--kube-subnet-mgr=false', '--etcd-endpoints', 'http://10.0.0.1:2379'),
    process(4, '--iface=eth0'),
  ];
  const context = contextWith(recordedHost(), { [processesFact.name]: processes });
  expect(await managersHereFact.collect(context)).toEqual({ etcd: [1, 3], kube: [2] });
});
