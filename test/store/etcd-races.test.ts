import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Lease, SubnetStore } from '../../src/store/store.ts';
import { attributes, closeAll, open, proxies } from '../support/etcd-client.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { startProxy } from '../support/proxy.ts';

const CONFIG = '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}';
/** In what a transaction sends, and in no reading: the value, or in a removal the key for the third time. */
const TRANSACTION = /PublicIP|Network"|(subnets\/10\.[\d.]+-24.*){3}/s;
const ELSEWHERE = { ...attributes, vtep: { vni: 1, mac: '02:00:00:00:00:09' } };

let etcd: EtcdServer;
let prefix = '';
let count = 0;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());
beforeEach(async () => {
  count += 1;
  prefix = `/race-${count}`;
  await etcd.ctl('put', `${prefix}/config`, CONFIG);
});
afterEach(closeAll);

interface Race {
  /** Its next transaction is held back for as long as the other one writes. */
  readonly slow: SubnetStore;
  readonly other: SubnetStore;
  /** What `other` does after `slow` has read all it needs and before its transaction arrives. */
  meanwhile(work: () => Promise<unknown>): void;
}

async function race(): Promise<Race> {
  const proxy = await startProxy(etcd.port);
  proxies.push(proxy);
  const slow = await open([`http://127.0.0.1:${proxy.port}`], { prefix }, { timeoutMs: 5000 });
  const other = await open([etcd.endpoint], { prefix }, { timeoutMs: 5000 });
  return {
    slow,
    other,
    meanwhile: (work) => {
      proxy.spy((bytes) => {
        if (!TRANSACTION.test(bytes.toString('latin1'))) return;
        proxy.spy(() => undefined);
        proxy.delay(400);
        void work().finally(() => proxy.delay(0));
      });
    },
  };
}

async function records(store: SubnetStore) {
  return (await store.listLeases({ ttl: false })).records;
}

test('a removal that meets a renewal leaves the renewed record', async () => {
  const { slow, other, meanwhile } = await race();
  const lease = await other.acquire({ attributes });
  let renewed: Lease | undefined;
  meanwhile(async () => {
    renewed = await other.renew(lease, ELSEWHERE);
  });
  await expect(slow.remove(lease)).rejects.toMatchObject({ code: 'conflict' });
  expect(await records(other)).toEqual([{ ...renewed, expiresAt: undefined }]);
});

test('a removal of a reservation that meets its owner, who makes a lease of it, leaves the lease', async () => {
  const { slow, other, meanwhile } = await race();
  await other.putBack(dumped('10.244.7.0-24'), null);
  const [reservation] = await records(other);
  if (reservation === undefined) throw new Error('there is none');
  const granted = await etcd.ctl('lease', 'grant', '600');
  const [, id = ''] = /lease ([0-9a-f]+) granted/.exec(granted) ?? [];
  meanwhile(() => etcd.ctl('put', `${prefix}/subnets/10.244.7.0-24`, '{"PublicIP":"192.0.2.1"}', '--lease', id));
  await expect(slow.remove(reservation)).rejects.toMatchObject({ code: 'conflict' });
  expect(await records(other)).toMatchObject([{ etcdLease: id }]);
});

test('a removal of a reservation that is written anew leaves what was written', async () => {
  const { slow, other, meanwhile } = await race();
  await other.putBack(dumped('10.244.7.0-24'), null);
  const [reservation] = await records(other);
  if (reservation === undefined) throw new Error('there is none');
  meanwhile(() => etcd.ctl('put', `${prefix}/subnets/10.244.7.0-24`, '{"PublicIP":"192.0.2.2"}'));
  await expect(slow.remove(reservation)).rejects.toMatchObject({ code: 'conflict' });
  expect(await records(other)).toMatchObject([{ attributes: { publicIp: '192.0.2.2' } }]);
});

test('a renewal that meets another one is a conflict', async () => {
  const { slow, other, meanwhile } = await race();
  const lease = await other.acquire({ attributes });
  meanwhile(() => other.renew(lease, ELSEWHERE));
  await expect(slow.renew(lease, attributes)).rejects.toMatchObject({ code: 'conflict' });
  expect(await records(other)).toMatchObject([{ attributes: { vtep: ELSEWHERE.vtep } }]);
});

test('a record that is put back while its owner takes another subnet is not put back', async () => {
  const { slow, other, meanwhile } = await race();
  meanwhile(() => other.acquire({ attributes: ELSEWHERE }));
  await expect(slow.putBack(dumped('10.244.7.0-24'), 600)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('has its public IP 192.0.2.1'),
  });
  expect(await records(other)).toHaveLength(1);
});

test('a second record that is put back over what the first one saw is not put where somebody came meanwhile', async () => {
  const { slow, other, meanwhile } = await race();
  await slow.putBack(dumped('10.244.1.0-24', '192.0.2.7'), 600);
  meanwhile(() => etcd.ctl('put', `${prefix}/subnets/10.244.0.0-20`, '{"PublicIP":"192.0.2.8"}'));
  await expect(slow.putBack(dumped('10.244.7.0-24'), 600)).rejects.toMatchObject({
    message: '10.244.7.0-24 is not put back: 10.244.0.0-20 overlaps it',
  });
  expect(await records(other)).toHaveLength(2);
});

test('a node that asks for a subnet while it is given one takes that one', async () => {
  const { slow, other, meanwhile } = await race();
  meanwhile(() => other.acquire({ attributes: ELSEWHERE }));
  const lease = await slow.acquire({ attributes });
  expect((await records(other)).map(({ key }) => key)).toEqual([lease.key]);
});

test('a network configuration that meets another one is a conflict', async () => {
  const { slow, other, meanwhile } = await race();
  const { modRevision } = await other.readNetworkConfig();
  meanwhile(() => other.writeNetworkConfig(CONFIG.replace('244', '245'), modRevision));
  await expect(slow.writeNetworkConfig(CONFIG.replace('244', '246'), modRevision)).rejects.toMatchObject({
    code: 'conflict',
  });
  expect((await other.readNetworkConfig()).text).toContain('10.245.');
});

function dumped(key: string, publicIp = '192.0.2.1') {
  const valueBase64 = Buffer.from(JSON.stringify({ PublicIP: publicIp })).toString('base64');
  return { key, valueBase64, modRevision: '1', etcdLease: null, ttlSeconds: null };
}
