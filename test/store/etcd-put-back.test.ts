import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { SubnetStore } from '../../src/store/store.ts';
import { closeAll, open, PREFIX, proxies } from '../support/etcd-client.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';

let etcd: EtcdServer;
let proxy: TcpProxy;
let store: SubnetStore;
beforeAll(async () => {
  etcd = await startEtcd();
  const long = 'x'.repeat(100_000);
  for (const id of [201, 202, 203, 204, 205]) await etcd.ctl('put', `${PREFIX}/subnets/10.244.${id}.0-24`, long);
  for (const id of [1, 2, 3]) await etcd.ctl('put', `${PREFIX}/subnets/10.244.${id}.0-24`, '{"PublicIP":"192.0.2.9"}');
  proxy = await startProxy(etcd.port);
  proxies.push(proxy);
  store = await open([`http://127.0.0.1:${proxy.port}`], {}, { timeoutMs: 5000 });
});
afterEach(closeAll);
afterAll(() => etcd.stop());

test('sixty records that are refused need one listing, not sixty', async () => {
  const ids = Array.from({ length: 60 }, (_, at) => at);
  const outcomes = await Promise.allSettled(
    ids.map((id) => store.putBack(dumped(`10.244.${1 + (id % 3)}.0-24`), 3600)),
  );
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
  // a listing has half a megabyte
  expect(proxy.bytesToClient).toBeGreaterThan(500_000);
  expect(proxy.bytesToClient).toBeLessThan(900_000);
});

test.each([1_600_000, 3_000_000])(
  'a value of %i bytes, which etcd does not take, is known not to be there',
  async (bytes) => {
    const direct = await open([etcd.endpoint], {}, { timeoutMs: 5000 });
    const refused = direct.putBack(dumped('10.244.50.0-24', 'x'.repeat(bytes)), null);
    await expect(refused).rejects.toMatchObject({
      reason: 'malformed',
      message: expect.not.stringContaining('not known'),
    });
    await expect(direct.putBack(dumped('10.244.50.0-24'), null)).resolves.toBeDefined();
    await etcd.ctl('del', `${PREFIX}/subnets/10.244.50.0-24`);
  },
);

function dumped(key: string, value = '{"PublicIP":"192.0.2.77"}') {
  const valueBase64 = Buffer.from(value).toString('base64');
  return { key, valueBase64, modRevision: '1', etcdLease: null, ttlSeconds: null };
}
