import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, EXECUTABLE } from '../leases/lab.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { type KubeApiServer, startKubeApi } from '../support/kube-api-server.ts';
import { flannelAnnotations, makeNode } from '../support/kube-objects.ts';

let api: KubeApiServer;
let folder: string;
beforeAll(async () => {
  api = await startKubeApi();
  folder = await mkdtemp(join(tmpdir(), 'fctl-kube-'));
  const annotations = (ip: string, mac: string) => flannelAnnotations(ip, mac);
  api.setNode(
    makeNode('a', { podCidrs: ['10.244.1.0/24'], annotations: annotations('198.51.100.1', '02:00:00:00:00:01') }),
  );
  const b = makeNode('b', {
    podCidrs: ['10.244.2.0/24'],
    annotations: annotations('198.51.100.2', '02:00:00:00:00:02'),
  });
  const conditions = [{ type: 'Ready', status: 'Unknown', lastTransitionTime: '2026-11-20T09:00:00Z' }];
  api.setNode({ ...b, status: { addresses: [{ type: 'InternalIP', address: '198.51.100.2' }], conditions } });
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

const run = (...args: readonly string[]) =>
  collect(EXECUTABLE, [...args, '--kube-subnet-mgr', '--kube-api-url', api.url]);

describe('leases with the Kubernetes subnet manager', () => {
  it('are listed from the Nodes, and overdue is one that is not Ready', async () => {
    const { items } = JSON.parse((await run('leases', 'list', '-o', 'json')).stdout);
    expect(items).toMatchObject([
      { key: 'a', subnet: '10.244.1.0/24', publicIP: '198.51.100.1', ttlSeconds: null, node: 'a', states: ['live'] },
      { key: 'b', node: 'b', states: ['overdue'], nodeNotReadySince: '2026-11-20T09:00:00Z' },
    ]);
  });

  it('are a table too', async () => {
    const { code, stdout } = await run('leases', 'list');
    const [, first, second] = stdout.split('\n');
    expect(code).toBe(0);
    expect(first).toMatch(/^10\.244\.1\.0\/24 +198\.51\.100\.1 +vxlan +02:00:00:00:00:01 +- +a +live$/);
    expect(second).toMatch(/NotReady since 2026-11-20T09:00:00Z +b +overdue$/);
  });

  it('are shown by the name of the Node', async () => {
    const { stdout } = await run('leases', 'show', 'b', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'Lease', node: 'b', subnet: '10.244.2.0/24' });
  });

  it.each([
    [['leases', 'prune', '--yes'], /kubectl delete node/],
    [['leases', 'release', '10.244.1.0/24', '--yes'], /kubectl delete node/],
    [['leases', 'restore', '/dev/null'], /kubectl/],
    [['leases', 'backup'], /kubectl/],
  ])('are not written: %j exits 3 and says what to use', async (args, hint) => {
    const { code, stderr } = await run(...args);
    expect([code, hint.test(stderr)]).toEqual([3, true]);
  });

  it('have a configuration that is not written either', async () => {
    const path = join(folder, 'net-conf.json');
    await writeFile(path, '{"Network":"10.244.0.0/16"}');
    const { code, stderr } = await run('config', 'set', path, '--yes');
    expect([code, stderr.includes('ConfigMap')]).toEqual([3, true]);
  });

  it('cannot be read where RBAC forbids it, which is never an empty list', async () => {
    api.deny(({ path }) => path === '/api/v1/nodes');
    const { code, stdout } = await run('leases', 'list', '-o', 'json');
    api.deny(() => false);
    expect([code, JSON.parse(stdout).kind]).toEqual([77, 'Error']);
  });
});

describe('Kubernetes beside etcd', () => {
  let etcd: EtcdServer;
  beforeAll(async () => {
    etcd = await startEtcd();
    await etcd.ctl('put', '/coreos.com/network/subnets/10.244.2.0-24', '{"PublicIP":"198.51.100.2"}');
  });
  afterAll(() => etcd.stop());
  const beside = (...args: readonly string[]) =>
    collect(EXECUTABLE, [...args, '--etcd-endpoints', etcd.endpoint, '--kube-api-url', api.url, '-o', 'json']);

  it('names the Node that has the address of a lease', async () => {
    expect(JSON.parse((await beside('leases', 'list')).stdout).items).toMatchObject([{ node: 'b' }]);
  });
});
