import { expect, test } from 'vitest';
import { AbsentError, UnavailableError } from '../../src/errors.ts';
import { leasesFact, networkConfigFact, ownLeaseFact, vxlanConfigFact } from '../../src/facts/datastore.ts';
import type { CollectContext, Fact, Observed } from '../../src/facts/fact.ts';
import { flannelStartFact } from '../../src/facts/flannel.ts';
import { type InterfaceInfo, interfacesFact } from '../../src/facts/interfaces.ts';
import { underlayFact } from '../../src/facts/overlay.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import { decodeRecord } from '../../src/store/codec.ts';
import type { LeaseListing, SubnetStore } from '../../src/store/store.ts';

interface Setup {
  readonly records?: Readonly<Record<string, string>>;
  readonly config?: string;
  readonly kind?: SubnetStore['kind'];
  readonly hasDatastore?: boolean;
  readonly addresses?: Readonly<Record<string, string>>;
  /** `null`: not known. */
  readonly publicIp?: string | null;
}

function collect<T>(fact: Fact<T>, setup: Setup): Promise<T> {
  return fact.collect(contextOf(setup));
}

/** A context in which the facts of the datastore collect for real and everything under them is given. */
function contextOf(setup: Setup): CollectContext {
  const { hasDatastore = true, publicIp = '192.0.2.1' } = setup;
  const given = new Map<string, unknown>([
    [interfacesFact.name, interfacesOf(setup.addresses ?? {})],
    [
      flannelStartFact.name,
      { datastore: hasDatastore ? { kind: 'file', path: '/x' } : null, options: FLANNEL_DEFAULTS },
    ],
    [underlayFact.name, publicIp === null ? undefined : { publicIp, publicIpv6: null }],
  ]);
  const get: CollectContext['get'] = async (fact) => {
    if (!given.has(fact.name)) return fact.collect(context);
    const value = given.get(fact.name);
    if (value === undefined) throw new UnavailableError('unsupported', `${fact.name} is not known`);
    return JSON.parse(JSON.stringify(value));
  };
  const observe = async <T>(fact: Fact<T>): Promise<Observed<T>> => {
    try {
      return { status: 'known', value: await get(fact) };
    } catch (error) {
      return { status: 'unknown', reason: 'unsupported', detail: String(error) };
    }
  };
  const unused = () => {
    throw new Error('not asked for here');
  };
  const context: CollectContext = {
    get,
    observe,
    openStore: async () => storeOf(setup),
    openKube: unused,
    openEtcdHealth: unused,
    host: {
      ...{ identity: unused, exec: unused, readFile: unused, readDir: unused, readLink: unused },
      ...{ stat: unused, connect: unused, udp: unused, exchange: unused },
    },
    clock: { now: () => 0, monotonic: () => 0, sleep: async () => undefined },
    startedAt: 0,
    signal: new AbortController().signal,
    given: { flannel: {}, namesDatastore: false, peerLimit: null, storeTimeoutMs: 1000 },
    secrets: { put: () => undefined, secrets: () => ({}) },
  };
  return context;
}

function storeOf({ records = {}, config, kind = 'file' }: Setup): SubnetStore {
  const base = { expiresAt: null, etcdLease: null, modRevision: '1' };
  const list = Object.entries(records).map(([key, value]) => decodeRecord({ ...base, key, value }));
  const listing: LeaseListing = { records: list, revision: '1', clusterId: null, source: 'test' };
  const unused = async () => {
    throw new Error('a fact writes nothing');
  };
  return {
    kind,
    description: 'test',
    readNetworkConfig: async () => {
      if (config === undefined) throw new AbsentError('there is none');
      return { text: config, modRevision: '1', source: 'etcdctl get /x/config' };
    },
    listLeases: async () => listing,
    readTimes: unused,
    writeNetworkConfig: unused,
    acquire: unused,
    renew: unused,
    remove: unused,
    dump: unused,
    putBack: unused,
    watch: () => {
      throw new Error('a fact reads once');
    },
    close: async () => undefined,
  };
}

function interfacesOf(addresses: Readonly<Record<string, string>>): readonly InterfaceInfo[] {
  const plain = { scope: 'global', isDynamic: false, isTemporary: false, isDeprecated: false };
  return Object.entries(addresses).map(([name, ip], index) => ({
    index,
    name,
    kind: '',
    mtuBytes: 1500,
    mac: '',
    isUp: true,
    hasCarrier: true,
    master: null,
    addresses: [{ ...plain, family: ip.includes(':') ? 6 : 4, ip, prefixLength: 32 }],
    vxlan: null,
    counters: null,
  }));
}

const lease = (publicIp: string) => JSON.stringify({ PublicIP: publicIp });
const VXLAN = '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}';

test('does not guess a datastore', async () => {
  await expect(collect(leasesFact, { hasDatastore: false })).rejects.toMatchObject({
    reason: 'unsupported',
    message: 'not known which datastore flannel uses here',
  });
});

test('fills in the ranges where flannel allocates', async () => {
  const { config } = await collect(networkConfigFact, { config: VXLAN });
  expect(config).toMatchObject({ subnetLen: 24, subnetMin: '10.244.1.0', subnetMax: '10.244.255.0' });
});

test('knows no ranges where the podCIDR rules', async () => {
  const { config } = await collect(networkConfigFact, { config: '{"Backend":{"Type":"vxlan"}}', kind: 'kube' });
  expect(config.subnetLen).toBeNull();
});

test.each(['{', '{"Network":"10.0.0.0/29"}'])('is malformed when flannel refuses %s', async (config) => {
  await expect(collect(networkConfigFact, { config })).rejects.toMatchObject({ reason: 'malformed' });
});

test('has no vxlan settings with another backend', async () => {
  const config = '{"Network":"10.244.0.0/16","Backend":{"Type":"host-gw"}}';
  await expect(collect(vxlanConfigFact, { config })).rejects.toMatchObject({ code: 'absent' });
});

test('finds the lease by the public IP', async () => {
  const records = { '10.244.1.0-24': lease('192.0.2.2'), '10.244.2.0-24': lease('192.0.2.1') };
  expect((await collect(ownLeaseFact, { records })).key).toBe('10.244.2.0-24');
});

test('finds the lease by a local address where the underlay is not known', async () => {
  const records = { '10.244.1.0-24': lease('192.0.2.2'), '10.244.2.0-24': lease('192.0.2.1') };
  const own = await collect(ownLeaseFact, { records, publicIp: null, addresses: { eth1: '192.0.2.1' } });
  expect(own.key).toBe('10.244.2.0-24');
});

test('prefers, of two leases of this host, the one whose subnet is configured here', async () => {
  const records = { '10.244.1.0-24': lease('192.0.2.1'), '10.244.2.0-24': lease('192.0.2.1') };
  expect((await collect(ownLeaseFact, { records })).key).toBe('10.244.1.0-24');
  const own = await collect(ownLeaseFact, { records, addresses: { 'flannel.1': '10.244.2.0' } });
  expect(own.key).toBe('10.244.2.0-24');
});

test('does not take the lease of an IPv6-only node for that of another', async () => {
  const v6 = (ip: string) => JSON.stringify({ PublicIP: '0.0.0.0', PublicIPv6: ip });
  const records = { '0.0.0.0-0&fd00:1::-64': v6('2001:db8::1'), '0.0.0.0-0&fd00:2::-64': v6('2001:db8::2') };
  const own = await collect(ownLeaseFact, { records, publicIp: null, addresses: { eth0: '2001:db8::2' } });
  expect(own.ipv6Subnet).toBe('fd00:2::/64');
});

test('has no own lease among those of others', async () => {
  const records = { '10.244.1.0-24': lease('192.0.2.2') };
  await expect(collect(ownLeaseFact, { records })).rejects.toMatchObject({ code: 'absent' });
});
