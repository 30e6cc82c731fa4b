import protobuf from 'protobufjs/light.js';
import { expect, it } from 'vitest';
import { etcdDescriptor } from '../../src/generated/etcd-descriptor.ts';
import { methodOf } from '../../src/store/etcd-protocol.ts';

const NUMBERS = ['0', '1', '-1', '4294967295', '4294967296', '9223372036854775807', '-9223372036854775808'];

/** The answer to a grant, as etcd would send it. */
function granted(ID: string, cluster_id: string): Buffer {
  const type = protobuf.Root.fromJSON(JSON.parse(etcdDescriptor)).lookupType('etcdserverpb.LeaseGrantResponse');
  return Buffer.from(type.encode(type.fromObject({ ID, TTL: '86400', header: { cluster_id } })).finish());
}

it.each(NUMBERS)('reads the signed number %s as its decimal text', (number) => {
  expect(methodOf('Lease', 'leaseGrant').decode(granted(number, '1'))).toMatchObject({ ID: number, TTL: '86400' });
});

it.each(['0', '9223372036854775808', '18446744073709551615'])('reads the unsigned number %s', (number) => {
  const answer = methodOf('Lease', 'leaseGrant').decode(granted('1', number));
  expect(answer).toMatchObject({ header: { cluster_id: number } });
});

it('refuses what is no such message', () => {
  expect(() => methodOf('Lease', 'leaseGrant').decode(Buffer.from([0x0a, 0x7f, 0x01]))).toThrow('is no ');
});
