import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { liveHost, liveWriter } from '../../src/host/live.ts';
import { openKubeApi } from '../../src/kube/client.ts';
import { openEtcdStore, openRawEtcd } from '../../src/store/etcd.ts';
import { fileStore, rawFileRecords } from '../../src/store/file.ts';
import { kubeStore } from '../../src/store/kube.ts';
import type { AcquireRequest, EtcdSelection, LeaseAttributes, SubnetStore } from '../../src/store/store.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { startKubeApi } from '../support/kube-api-server.ts';
import { flannelAnnotations, makeNode } from '../support/kube-objects.ts';

interface Raw {
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** One datastore of its own: `open` gives another client of it, as another host would have. */
interface Bench {
  open(): Promise<SubnetStore>;
  readonly raw: Raw;
  close(): Promise<void>;
}

const host = liveHost({ root: '/' });
const writer = liveWriter({ root: '/' });

let etcd: EtcdServer;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());

let prefixes = 0;
async function etcdBench(): Promise<Bench> {
  prefixes += 1;
  const selection: EtcdSelection = {
    kind: 'etcd',
    endpoints: [etcd.endpoint],
    prefix: `/test-${prefixes}/network`,
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
    },
  };
}

async function fileBench(): Promise<Bench> {
  const path = await mkdtemp(join(tmpdir(), 'fctl-store-'));
  return {
    raw: rawFileRecords({ host, writer, path }),
    open: async () => fileStore({ selection: { kind: 'file', path }, host, writer }),
    close: () => rm(path, { recursive: true, force: true }),
  };
}

const CONFIG = JSON.stringify({ Network: '10.244.0.0/16', Backend: { Type: 'vxlan' } });
/** Three subnets: the first of the four is never handed out. */
const SMALL = JSON.stringify({ Network: '10.9.0.0/22', SubnetLen: 24, Backend: { Type: 'vxlan' } });

function attributesOf(publicIp: string | null, more: Partial<LeaseAttributes> = {}): LeaseAttributes {
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

function requestOf(publicIp: string, more: Omit<AcquireRequest, 'attributes'> = {}): AcquireRequest {
  return { attributes: attributesOf(publicIp), ...more };
}

async function withBench<T>(make: () => Promise<Bench>, work: (bench: Bench) => Promise<T>): Promise<T> {
  const bench = await make();
  try {
    return await work(bench);
  } finally {
    await bench.close();
  }
}

async function configured(bench: Bench, config: string): Promise<SubnetStore> {
  const store = await bench.open();
  await store.writeNetworkConfig(config, null);
  return store;
}

describe.each([
  ['etcd', etcdBench],
  ['file', fileBench],
] as const)('the %s store', (_, make) => {
  test('says that there is no network configuration', () =>
    withBench(make, async ({ open, raw }) => {
      await raw.put('10.244.1.0-24', '{}');
      await expect((await open()).readNetworkConfig()).rejects.toMatchObject({ code: 'absent' });
    }));

  test('reads the network configuration as it was written', () =>
    withBench(make, async (bench) => {
      const store = await bench.open();
      const written = await store.writeNetworkConfig(CONFIG, null);
      expect(await store.readNetworkConfig()).toEqual(written);
      expect(written.text).toBe(CONFIG);
    }));

  test('does not write a network configuration over one it was not told of', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await expect(store.writeNetworkConfig(SMALL, null)).rejects.toMatchObject({ code: 'conflict' });
      expect((await store.readNetworkConfig()).text).toBe(CONFIG);
    }));

  test('writes a network configuration over the revision it was told of, once', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const { modRevision } = await store.readNetworkConfig();
      await store.writeNetworkConfig(SMALL, modRevision);
      await expect(store.writeNetworkConfig(CONFIG, modRevision)).rejects.toMatchObject({ code: 'conflict' });
      expect((await store.readNetworkConfig()).text).toBe(SMALL);
    }));

  test('gives a new node a subnet of the network and lists it', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const lease = await store.acquire(requestOf('192.0.2.1'));
      expect(lease.subnet).toMatch(/^10\.244\.\d+\.0\/24$/);
      const [listed] = (await store.listLeases()).records;
      expect(listed).toMatchObject({
        kind: 'lease',
        key: lease.key,
        subnet: lease.subnet,
        attributes: lease.attributes,
      });
      expect(listed?.modRevision).toBe(lease.modRevision);
    }));

  test('gives a lease 24 hours', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const { expiresAt } = await store.acquire(requestOf('192.0.2.1'));
      const hours = ((expiresAt ?? 0) - Date.now()) / 3_600_000;
      expect(hours).toBeGreaterThan(23.9);
      expect(hours).toBeLessThan(24.1);
    }));

  test('leaves the time out when it was not asked for', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await store.acquire(requestOf('192.0.2.1'));
      expect((await store.listLeases({ ttl: false })).records[0]?.expiresAt).toBeUndefined();
    }));

  test('gives a node its own subnet again and writes its new VTEP', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const first = await store.acquire(requestOf('192.0.2.1'));
      const attributes = attributesOf('192.0.2.1', { vtep: { vni: 1, mac: '02:00:00:00:00:01' } });
      const second = await store.acquire({ attributes });
      expect(second.subnet).toBe(first.subnet);
      expect(second.modRevision).not.toBe(first.modRevision);
      const { records } = await store.listLeases();
      expect(records).toHaveLength(1);
      expect(records[0]).toMatchObject({ attributes: { vtep: { mac: '02:00:00:00:00:01' } } });
    }));

  test('keeps what others have written into the lease of a node', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await bench.raw.put('10.244.7.0-24', '{"PublicIP":"192.0.2.1","PublicIPv6":null,"Owner":{"rack":7}}');
      const lease = await store.acquire(requestOf('192.0.2.1'));
      expect(lease.subnet).toBe('10.244.7.0/24');
      expect(JSON.parse((await bench.raw.get('10.244.7.0-24')) ?? '')).toMatchObject({ Owner: { rack: 7 } });
    }));

  test('keeps a reservation without a TTL', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await bench.raw.put('10.244.7.0-24', '{"PublicIP":"192.0.2.1"}');
      expect((await store.acquire(requestOf('192.0.2.1'))).expiresAt).toBeNull();
      expect((await store.listLeases()).records[0]?.expiresAt).toBeNull();
    }));

  test('replaces the lease of a node that no longer fits the network', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await bench.raw.put('172.16.3.0-24', '{"PublicIP":"192.0.2.1"}');
      const lease = await store.acquire(requestOf('192.0.2.1'));
      expect(lease.subnet).toMatch(/^10\.244\./);
      expect((await store.listLeases()).records.map(({ key }) => key)).toEqual([lease.key]);
    }));

  test('takes the previous subnet again when nobody holds it', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const lease = await store.acquire(requestOf('192.0.2.1', { previousSubnet: '10.244.201.0/24' }));
      expect(lease.subnet).toBe('10.244.201.0/24');
    }));

  test('does not take a previous subnet that somebody overlaps', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await bench.raw.put('10.244.201.128-25', '{"PublicIP":"192.0.2.9"}');
      const lease = await store.acquire(requestOf('192.0.2.1', { previousSubnet: '10.244.201.0/24' }));
      expect(lease.subnet).not.toBe('10.244.201.0/24');
    }));

  test('does not give away the subnet of a value that does not parse', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, SMALL);
      await bench.raw.put('10.9.1.0-24', 'not json');
      await bench.raw.put('10.9.2.0-24', '{"PublicIP":"192.0.2.8"}');
      expect((await store.acquire(requestOf('192.0.2.1'))).subnet).toBe('10.9.3.0/24');
    }));

  test('says when it is out of subnets', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, SMALL);
      for (const last of [1, 2, 3]) await store.acquire(requestOf(`192.0.2.${last}`));
      const late = store.acquire(requestOf('192.0.2.4'));
      await expect(late).rejects.toMatchObject({ code: 'absent', message: expect.stringContaining('out of subnets') });
    }));

  test('gives the last subnet to exactly one of two nodes that ask at once', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, SMALL);
      await bench.raw.put('10.9.1.0-24', '{"PublicIP":"192.0.2.8"}');
      await bench.raw.put('10.9.2.0-24', '{"PublicIP":"192.0.2.9"}');
      const other = await bench.open();
      const outcomes = await Promise.allSettled([
        store.acquire(requestOf('192.0.2.1')),
        other.acquire(requestOf('192.0.2.2')),
      ]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect((await store.listLeases()).records).toHaveLength(3);
    }));

  test('gives twelve nodes that ask at once twelve subnets', () =>
    withBench(make, async (bench) => {
      await configured(bench, JSON.stringify({ Network: '10.9.0.0/20', Backend: { Type: 'vxlan' } }));
      const nodes = Array.from({ length: 12 }, (_unused, index) => `192.0.2.${index + 1}`);
      const leases = await Promise.all(nodes.map(async (ip) => (await bench.open()).acquire(requestOf(ip))));
      expect(new Set(leases.map(({ subnet }) => subnet)).size).toBe(12);
    }));

  test('refuses to acquire where flannel would refuse the network configuration', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, '{"Network":"10.9.0.0/29","Backend":{"Type":"vxlan"}}');
      await expect(store.acquire(requestOf('192.0.2.1'))).rejects.toMatchObject({ code: 'malformed' });
    }));

  test('does not write a lease that flannel would ignore', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await expect(store.acquire(requestOf('10.0.0.1; reboot'))).rejects.toMatchObject({ code: 'bad-input' });
      expect((await store.listLeases()).records).toEqual([]);
    }));

  test('lists keys that flannel refuses and values that do not parse as what they are', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      await bench.raw.put('10.244.1.0-32', '{}');
      await bench.raw.put('10.244.2.0-24', '{"PublicIP":"10.0.0.1\u001b[2J"}');
      await bench.raw.put('10.244.3.0-24', '{"PublicIP":"192.0.2.3"}');
      const { records } = await store.listLeases();
      expect(records.map(({ kind, key }) => [kind, key])).toEqual([
        ['malformed-key', '10.244.1.0-32'],
        ['unreadable-value', '10.244.2.0-24'],
        ['lease', '10.244.3.0-24'],
      ]);
      expect(JSON.stringify(records)).not.toContain('\u001b');
    }));

  test('gives a dual-stack node a subnet of both families', () =>
    withBench(make, async (bench) => {
      const config = {
        Network: '10.244.0.0/16',
        EnableIPv6: true,
        IPv6Network: 'fd00:10::/56',
        Backend: { Type: 'vxlan' },
      };
      const store = await configured(bench, JSON.stringify(config));
      const attributes = attributesOf('192.0.2.1', { publicIpv6: '2001:db8::1' });
      const lease = await store.acquire({ attributes });
      expect(lease.ipv6Subnet).toMatch(/^fd00:10:0:[0-9a-f]+::\/64$/);
      expect(lease.key).toBe(`${lease.subnet}&${lease.ipv6Subnet}`.replaceAll('/', '-'));
      expect((await store.acquire({ attributes })).key).toBe(lease.key);
    }));

  test('does not take the lease of another IPv6-only node for its own', () =>
    withBench(make, async (bench) => {
      const config = { EnableIPv4: false, EnableIPv6: true, IPv6Network: 'fd00:10::/56', Backend: { Type: 'vxlan' } };
      const store = await configured(bench, JSON.stringify(config));
      const one = await store.acquire({ attributes: attributesOf(null, { publicIpv6: '2001:db8::1' }) });
      const two = await store.acquire({ attributes: attributesOf(null, { publicIpv6: '2001:db8::2' }) });
      expect(one.subnet).toBeNull();
      expect(two.ipv6Subnet).not.toBe(one.ipv6Subnet);
    }));

  test('forgets a record that was deleted', () =>
    withBench(make, async (bench) => {
      const store = await configured(bench, CONFIG);
      const { key } = await store.acquire(requestOf('192.0.2.1'));
      await bench.raw.delete(key);
      expect((await store.listLeases()).records).toEqual([]);
    }));
});

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
