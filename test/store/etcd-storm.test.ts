import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRawEtcd } from '../../src/store/etcd.ts';
import { openConnections } from '../../src/store/etcd-connection.ts';
import type { Lease, LeaseListing, SubnetStore } from '../../src/store/store.ts';
import { attributes, closeAll, failureOf, open, proxies, selectionOf } from '../support/etcd-client.ts';
import { type EtcdCluster, startCluster } from '../support/etcd-cluster.ts';
import { startProxy } from '../support/proxy.ts';
import { host } from '../support/store-benches.ts';
import { countOf, watching } from '../support/watching.ts';

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
  prefix = `/storm-${count}`;
  await cluster.ctl('put', `${prefix}/config`, CONFIG);
});
afterEach(async () => {
  await closeAll();
  await cluster.heal();
}, 30_000);

function connect(endpoints = cluster.endpoints): Promise<SubnetStore> {
  return open(endpoints, { prefix }, { timeoutMs: TIMEOUT_MS });
}

describe('while members are killed, paused and cut off in turn', () => {
  test('each renewal takes effect once, or not at all, and says which', async () => {
    const store = await connect();
    const storm = startStorm();
    let lease = await store.acquire({ attributes });
    let written = 1;
    let unknown = 0;
    for (let round = 0; round < 150 || !storm.isOver(); round += 1) {
      const { error, tookMs } = await failureOf(store.renew(lease, lease.attributes));
      expect(tookMs).toBeLessThan(TIMEOUT_MS);
      if (error === undefined) written += 1;
      else if (/not known/.test(error.message)) unknown += 1;
      else expect(error).toMatchObject({ exitCode: 69 });
      lease = await storm.insist(async () => leaseOf(await store.listLeases({ ttl: false })));
    }
    await storm.done;
    const version = await versionOf(lease.key);
    expect(version).toBeGreaterThanOrEqual(written);
    expect(version).toBeLessThanOrEqual(written + unknown);
  }, 60_000);

  test('a watch tells each change once', async () => {
    const store = await connect();
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    const storm = startStorm();
    const writer = await openRawEtcd({ selection: selectionOf(cluster.endpoints, { prefix }), ...RAW });
    const written: string[] = [];
    while (!storm.isOver()) {
      const key = `10.${written.length >> 8}.${written.length & 255}.0-24`;
      await storm.insist(() => writer.put(key, '{}'));
      written.push(key);
    }
    await storm.done;
    const keys = () => new Set(watch.events.flatMap((event) => (event.type === 'put' ? [event.record.key] : [])));
    await watch.until(() => keys().size === written.length);
    const revisions = watch.events.flatMap((event) => (event.type === 'put' ? [event.revision] : []));
    expect(new Set(revisions).size).toBe(revisions.length);
    expect(watch.events.filter(({ type }) => type === 'delete')).toEqual([]);
    await watch.end();
    await writer.close();
  }, 60_000);

  test('a long listing goes on through another member', async () => {
    await fillPrefix(3000);
    const store = await connect();
    const { followers } = await cluster.roles();
    let pages = 0;
    const onPage = () => {
      pages += 1;
      if (pages === 1) for (const member of followers.slice(0, 1)) member.pause();
    };
    const { error, tookMs } = await failureOf(store.listLeases({ ttl: false, onPage }));
    expect(error).toBeUndefined();
    expect(pages).toBe(3);
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
  });
});

describe('a watch through a member that is cut off from the others', () => {
  test('goes on through another one, because a member without a leader tells nothing', async () => {
    const [lonely] = (await cluster.roles()).followers;
    if (lonely === undefined) throw new Error('there is no follower');
    const others = cluster.members.filter((member) => member !== lonely);
    // the others answer later, so that it is the one that is watched
    const slow = await Promise.all(others.map(({ port }) => startProxy(port)));
    for (const proxy of slow) proxy.delay(25);
    proxies.push(...slow);
    const store = await connect([lonely.endpoint, ...slow.map(({ port }) => `http://127.0.0.1:${port}`)]);
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    await store.acquire({ attributes: { ...attributes, publicIp: '192.0.2.7' } });
    await watch.until((events) => countOf(events, 'put') === 1);
    lonely.isolate();
    const writer = await open(
      others.map(({ endpoint }) => endpoint),
      { prefix },
      { timeoutMs: TIMEOUT_MS },
    );
    await writer.acquire({ attributes });
    await watch.until((events) => countOf(events, 'put') === 2);
    expect(watch.interruptions[0]?.message).toContain(lonely.endpoint);
    await watch.end();
  }, 30_000);
});

const RAW = { host, secrets: {}, timeoutMs: TIMEOUT_MS };

interface Storm {
  readonly done: Promise<void>;
  readonly isOver: () => boolean;
  /** Tries until it is done; for what may happen twice. */
  insist<T>(work: () => Promise<T>): Promise<T>;
}

/** One member after the other is killed, paused, cut off, for a while each; two always stay. */
function startStorm(): Storm {
  let isOver = false;
  const blow = async () => {
    for (const member of cluster.members) {
      for (const [hurt, heal] of [
        [member.pause, async () => member.resume()],
        [member.isolate, async () => member.rejoin()],
        [member.kill, member.restart],
      ] as const) {
        await hurt();
        await new Promise((resolve) => setTimeout(resolve, 300));
        await heal();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    isOver = true;
  };
  return {
    done: blow(),
    isOver: () => isOver,
    insist: async (work) => {
      for (let left = 10; ; left -= 1) {
        const [outcome] = await Promise.allSettled([work()]);
        if (outcome.status === 'fulfilled') return outcome.value;
        if (left <= 1) throw outcome.reason;
      }
    },
  };
}

function leaseOf({ records }: LeaseListing): Lease {
  const [record] = records;
  if (record?.kind !== 'lease') throw new Error('there is no lease');
  return record;
}

/** How often the record was written since it was made. */
async function versionOf(key: string): Promise<number> {
  const { kvs = [] } = JSON.parse(await cluster.ctl('get', `${prefix}/subnets/${key}`, '-w', 'json'));
  return kvs[0]?.version ?? 0;
}

async function fillPrefix(records: number): Promise<void> {
  const [connection] = await openConnections({ selection: selectionOf(cluster.endpoints), ...RAW });
  const put = (id: number) => ({
    request_put: { key: Buffer.from(`${prefix}/subnets/10.${id >> 8}.${id & 255}.0-24`), value: Buffer.from('{}') },
  });
  for (let start = 0; start < records; start += 100) {
    const ids = Array.from({ length: 100 }, (_, index) => start + index);
    await connection?.kv.txn({ success: ids.map(put) });
  }
  connection?.close();
}
