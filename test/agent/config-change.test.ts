import { describe, expect, it } from 'vitest';
import { agreedChanges } from '../../src/agent/config-change.ts';
import { parseNetworkConfig } from '../../src/store/config.ts';

const BEFORE = {
  Network: '10.244.0.0/16',
  SubnetLen: 24,
  EnableIPv6: false,
  IPv6Network: '::/0',
  Backend: { Type: 'vxlan', VNI: 1 },
};
const changes = (change: object) =>
  agreedChanges(
    parseNetworkConfig(JSON.stringify(BEFORE)).config,
    parseNetworkConfig(JSON.stringify({ ...BEFORE, ...change })).config,
  );
const vxlan = (options: object) => ({ Backend: { Type: 'vxlan', VNI: 1, ...options } });

describe('a change of the network configuration', () => {
  it.each([
    ['the network', { Network: '10.245.0.0/16' }, ['Network 10.244.0.0/16 → 10.245.0.0/16']],
    ['a family more', { EnableIPv6: true, IPv6Network: 'fd00::/48' }, ['IPv6Network off → fd00::/48']],
    [
      'a family less',
      { EnableIPv4: false, EnableIPv6: true },
      ['Network 10.244.0.0/16 → off', 'IPv6Network off → ::/0'],
    ],
    ['the VNI', vxlan({ VNI: 2 }), ['VNI 1 → 2']],
    ['the port', vxlan({ Port: 4789 }), ['Port 8472 → 4789']],
    ['group policies', vxlan({ GBP: true }), ['GBP false → true']],
    [
      'the backend',
      { Backend: { Type: 'host-gw' } },
      ['Backend vxlan → host-gw', 'VNI 1 → none', 'Port 8472 → none', 'GBP false → none'],
    ],
  ])('concerns all nodes together when it is %s', (_what, change, expected) => {
    expect(changes(change)).toEqual(expected);
  });

  it.each([
    ['the MTU', vxlan({ MTU: 1400 })],
    ['learning', vxlan({ Learning: true })],
    ['direct routing', vxlan({ DirectRouting: true })],
    ['the packet filter', { EnableNFTables: true }],
    ['the size of new subnets', { SubnetLen: 25 }],
    ['the network of a family that is off', { IPv6Network: 'fd00::/48' }],
    ['the port, said as it is by default', vxlan({ Port: 8472 })],
    ['nothing at all', {}],
  ])('concerns one node alone when it is %s', (_what, change) => {
    expect(changes(change)).toEqual([]);
  });
});
