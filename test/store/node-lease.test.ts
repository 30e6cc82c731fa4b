import { expect, test } from 'vitest';
import type { KubeNode } from '../../src/kube/kube.ts';
import { decodeNode, encodeAnnotations } from '../../src/store/node-lease.ts';

const annotations = {
  'kube-subnet-manager': 'true',
  'backend-type': 'vxlan',
  'backend-data': '{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}',
  'public-ip': '192.0.2.1',
};

function nodeOf(more: Partial<KubeNode> = {}): KubeNode {
  return {
    name: 'a',
    resourceVersion: '7',
    podCidrs: ['10.244.7.0/24'],
    podCidr: '10.244.7.0/24',
    flannelAnnotations: annotations,
    addresses: [],
    ready: null,
    ...more,
  };
}

test('takes the subnet from the podCIDR and the VTEP from the annotations', () => {
  expect(decodeNode(nodeOf())).toMatchObject({
    kind: 'lease',
    key: 'a',
    subnet: '10.244.7.0/24',
    expiresAt: null,
    attributes: { publicIp: '192.0.2.1', vtep: { vni: 1, mac: 'c6:d2:32:6f:8f:44' } },
  });
});

test('takes both families of a dual-stack node in either order', () => {
  const podCidrs = ['fd00:7::/64', '10.244.7.0/24'];
  expect(decodeNode(nodeOf({ podCidrs }))).toMatchObject({ subnet: '10.244.7.0/24', ipv6Subnet: 'fd00:7::/64' });
});

test.each([
  ['without the annotation of flannel', nodeOf({ flannelAnnotations: {} })],
  ['without podCIDR, even with podCIDRs', nodeOf({ podCidr: null })],
])('does not see a node %s, as its peers do not', (_, node) => {
  expect(decodeNode(node)).toBeUndefined();
});

test.each([
  [['10.244.7.0/24', '10.244.8.0/24']],
  [['10.244.7.0/24', 'fd00::/64', 'fd01::/64']],
  [['10.244.7.0/24; reboot']],
])('refuses the podCIDRs %j', (podCidrs) => {
  expect(decodeNode(nodeOf({ podCidrs }))?.kind).toBe('malformed-key');
});

test('escapes an annotation that does not parse', () => {
  const record = decodeNode(nodeOf({ flannelAnnotations: { ...annotations, 'public-ip': 'x\u001b[2J\u202e' } }));
  expect(record).toMatchObject({
    kind: 'unreadable-value',
    reason: expect.stringContaining('PublicIP is no IPv4 address'),
  });
  const shown = record?.kind === 'unreadable-value' ? record.value : '';
  expect(['\u001b', '\u202e'].filter((character) => shown.includes(character))).toEqual([]);
});

test('cannot be made to add a member through backend-data', () => {
  const smuggled = '1,"PublicIP":"203.0.113.9"';
  const record = decodeNode(nodeOf({ flannelAnnotations: { ...annotations, 'backend-data': smuggled } }));
  expect(record?.kind).toBe('unreadable-value');
});

test('reads back the annotations it writes', () => {
  const record = decodeNode(nodeOf());
  expect(record?.kind === 'lease' ? encodeAnnotations(record.attributes) : undefined).toEqual(annotations);
});
