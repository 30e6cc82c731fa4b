import { expect, test } from 'vitest';
import { UnavailableError } from '../../src/errors.ts';
import { listRecords } from '../../src/store/etcd-records.ts';
import type { EtcdCalls, EtcdOperation } from '../../src/store/etcd-session.ts';

const PREFIX = '/coreos.com/network';
const KEYS = ['10.244.1.0-24', '10.244.2.0-24', '10.244.3.0-24'];
const VALUE = '{"PublicIP":"192.168.9.1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}}';

/** etcd with three leases, which says of one of them nothing but an error. */
function operationWithout(lost: string | undefined): EtcdOperation {
  const kvs = KEYS.map((name, index) => ({
    key: Buffer.from(`${PREFIX}/subnets/${name}`),
    value: Buffer.from(VALUE),
    lease: String(index + 1),
    mod_revision: '5',
    create_revision: '5',
    version: '1',
  }));
  const answers = {
    range: async () => ({ kvs, header: { revision: '5', cluster_id: '1' }, more: false }),
    leaseTimeToLive: async ({ ID }: { readonly ID: string }) => {
      if (ID === lost) throw new UnavailableError('timeout', 'etcd did not answer');
      return { TTL: '3600' };
    },
  };
  const calls: EtcdCalls = new Proxy(Object.create(null), {
    get: (_target, name) => (name === 'endpoint' ? 'http://etcd' : name === 'options' ? {} : answers),
  });
  const unused = async () => {
    throw new Error('a listing writes nothing');
  };
  return { deadline: Number.POSITIVE_INFINITY, read: (work) => work(calls), write: unused, settle: () => undefined };
}

test('a listing has every lease with its time', async () => {
  const { records } = await listRecords(operationWithout(undefined), PREFIX, {});
  expect(records.map(({ key }) => key)).toEqual(KEYS);
});

test('a listing in which the time of one lease could not be read is an error, not a list without it', async () => {
  await expect(listRecords(operationWithout('2'), PREFIX, {})).rejects.toMatchObject({ reason: 'timeout' });
});
