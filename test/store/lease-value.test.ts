import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeLeaseValue, encodeLeaseValue } from '../../src/store/lease-value.ts';
import type { LeaseAttributes } from '../../src/store/store.ts';

/** As flannel v0.27 wrote it into an etcd 3.4. */
const WRITTEN =
  '{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}';

function attributesOf(text: string): LeaseAttributes {
  const decoded = decodeLeaseValue(text);
  if ('problem' in decoded) throw new Error(decoded.problem);
  return decoded.attributes;
}

function problemOf(text: string): string | undefined {
  const decoded = decodeLeaseValue(text);
  return 'problem' in decoded ? decoded.problem : undefined;
}

test('writes byte for byte what flannel writes', () => {
  expect(encodeLeaseValue(attributesOf(WRITTEN))).toBe(WRITTEN);
});

test('leaves out what flannel leaves out for a backend without data', () => {
  expect(encodeLeaseValue(attributesOf('{"PublicIP":"192.0.2.1"}'))).toBe('{"PublicIP":"192.0.2.1","PublicIPv6":null}');
});

test('writes the zero address for an IPv6-only node, as flannel does', () => {
  const attributes = attributesOf('{"PublicIP":"0.0.0.0","PublicIPv6":"2001:db8::1"}');
  expect(attributes).toMatchObject({ publicIp: null, publicIpv6: '2001:db8::1' });
  expect(encodeLeaseValue(attributes)).toContain('"PublicIP":"0.0.0.0"');
});

test('reads names without case, the last one winning', () => {
  expect(attributesOf('{"publicip":"192.0.2.1","PUBLICIP":"192.0.2.2"}').publicIp).toBe('192.0.2.2');
});

test('has no VTEP where the backend is not vxlan, and keeps its data', () => {
  const attributes = attributesOf('{"PublicIP":"192.0.2.1","BackendType":"wireguard","BackendData":{"PublicKey":"x"}}');
  expect(attributes).toMatchObject({ vtep: null, backendData: { PublicKey: 'x' } });
});

test.each([
  '{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44 dev eth0"}',
  '{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44\\nroute flush"}',
  '{"VNI":"1","VtepMAC":"c6:d2:32:6f:8f:44"}',
  '{"VNI":1.5,"VtepMAC":"c6:d2:32:6f:8f:44"}',
  '{"VNI":1,"VtepMAC":"01:00:5e:00:00:01"}',
  '[]',
  '"x"',
])('makes no VTEP of %s', (data) => {
  expect(attributesOf(`{"PublicIP":"192.0.2.1","BackendType":"vxlan","BackendData":${data}}`).vtep).toBeNull();
});

test.each([
  ['not json', 'it is not JSON'],
  ['[]', 'it is an array, not an object'],
  ['{"PublicIP":"10.0.0.1; reboot"}', 'PublicIP is no IPv4 address'],
  ['{"PublicIP":10}', 'PublicIP is no IPv4 address'],
  ['{"PublicIP":null}', 'PublicIP is no IPv4 address'],
  ['{"PublicIP":"192.0.2.1","PublicIPv6":"fe80::1%eth0"}', 'PublicIPv6 is no IPv6 address'],
  ['{"PublicIP":"192.0.2.1","BackendType":7}', 'BackendType is no string'],
])('refuses %s', (text, problem) => {
  expect(problemOf(text)).toBe(problem);
});

test('never throws, whatever stands in a value', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => decodeLeaseValue(text) !== undefined));
});

test('refuses a value that is nested deeper than anybody can walk', () => {
  const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const text = `{"PublicIP":"192.0.2.1","BackendType":"vxlan","BackendData":${nested}}`;
  expect(problemOf(text)).toBe('it is nested too deeply');
});
