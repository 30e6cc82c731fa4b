import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Lease, SubnetStore } from '../../src/store/store.ts';
import { attributes, closeAll, failureOf, open } from '../support/etcd-client.ts';
import { type ClusterMember, type EtcdCluster, startCluster } from '../support/etcd-cluster.ts';

const TIMEOUT_MS = 3000;
const CONFIG = '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}';

let cluster: EtcdCluster;
let prefix = '';
let count = 0;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  count += 1;
  prefix = `/test-${count}`;
  await cluster.ctl('put', `${prefix}/config`, CONFIG);
});
afterEach(async () => {
  await closeAll();
  await cluster.heal();
}, 30_000);

function connect(endpoints = cluster.endpoints): Promise<SubnetStore> {
  return open(endpoints, { prefix }, { timeoutMs: TIMEOUT_MS });
}

async function leased(store: SubnetStore): Promise<Lease> {
  return store.acquire({ attributes });
}

/** What becomes of a member; all of it is undone after the test. */
const MISHAPS: Readonly<Record<string, (member: ClusterMember) => unknown>> = {
  killed: (member) => member.kill(),
  paused: (member) => member.pause(),
  isolated: (member) => member.isolate(),
};

const OPERATIONS: Readonly<Record<string, (store: SubnetStore, lease: Lease) => Promise<unknown>>> = {
  readNetworkConfig: (store) => store.readNetworkConfig(),
  listLeases: (store) => store.listLeases(),
  dump: (store) => store.dump(),
  acquire: (store) => store.acquire({ attributes: { ...attributes, publicIp: '192.0.2.2' } }),
  renew: (store, lease) => store.renew(lease, lease.attributes),
  remove: async (store) => store.remove(await leased(store)),
  putBack: (store) => store.putBack(dumped('10.244.250.0-24', '192.0.2.99'), 600),
  writeNetworkConfig: async (store) => {
    const { modRevision } = await store.readNetworkConfig();
    return store.writeNetworkConfig(CONFIG, modRevision);
  },
};

test.each(Object.keys(MISHAPS))('everything is done through the others while a follower is %s', async (mishap) => {
  const store = await connect();
  const lease = await leased(store);
  await MISHAPS[mishap]?.(pick((await cluster.roles()).followers));
  for (const operation of Object.keys(OPERATIONS)) {
    const { error, tookMs } = await failureOf(run(operation, store, lease));
    expect(error, operation).toBeUndefined();
    expect(tookMs, operation).toBeLessThan(TIMEOUT_MS);
  }
});

describe.each(Object.keys(MISHAPS))('with the leader %s', (mishap) => {
  test.each(Object.keys(OPERATIONS))('%s is done when there is a new one', async (operation) => {
    const store = await connect();
    const lease = await leased(store);
    await MISHAPS[mishap]?.((await cluster.roles()).leader);
    const { error, tookMs } = await failureOf(run(operation, store, lease));
    expect(error).toBeUndefined();
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
  });
});

function run(operation: string, store: SubnetStore, lease: Lease): Promise<unknown> {
  const found = OPERATIONS[operation];
  if (found === undefined) throw new Error(`no operation ${operation}`);
  return found(store, lease);
}

function pick<T>(items: readonly T[]): T {
  const [first] = items;
  if (first === undefined) throw new Error('there is none');
  return first;
}

function dumped(key: string, publicIp: string) {
  const valueBase64 = Buffer.from(JSON.stringify({ PublicIP: publicIp })).toString('base64');
  return { key, valueBase64, modRevision: '1', etcdLease: null, ttlSeconds: null };
}
