import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { findLeases, withSubnet } from '../../src/leases/find.ts';
import { lease, malformed, unreadable } from './builders.ts';

const records = [
  lease(1, { node: 'worker-1' }),
  lease(2),
  unreadable(3),
  malformed('junk'),
  lease(5, { key: '10.244.5.0-24', ipv6Subnet: 'fd00:5::/64' }),
];
const keys = (word: string) => findLeases(records, word, ({ node }) => node).map(({ key }) => key);

describe('finding leases by a word', () => {
  it.each([
    ['the subnet', '10.244.2.0/24', '10.244.2.0-24'],
    ['the subnet with a host part', '10.244.2.9/24', '10.244.2.0-24'],
    ['the key', '10.244.2.0-24', '10.244.2.0-24'],
    ['a key that flannel refuses', 'junk', 'junk'],
    ['the public IP', '192.0.2.2', '10.244.2.0-24'],
    ['the name of the Node', 'worker-1', '10.244.1.0-24'],
    ['an address in the subnet', '10.244.3.77', '10.244.3.0-24'],
    ['an IPv6 address in the subnet', 'fd00:5::9', '10.244.5.0-24'],
    ['the IPv6 subnet', 'FD00:5::/64', '10.244.5.0-24'],
  ])('takes %s', (_, word, key) => {
    expect(keys(word)).toEqual([key]);
  });

  it.each(['10.244.9.0/24', 'worker-9', '198.51.100.1', '', '\u001b[31m'])('finds none for %j', (word) => {
    expect(keys(word)).toEqual([]);
  });

  it.each(['10.244.2.0', '10.244.2.0/33', 'junk', '', '../config', '10.244.2.0/24 --force', 'x10.244.2.0-24'])(
    'does not take %j for a subnet',
    (word) => {
      expect(() => withSubnet(records, word)).toThrow(UsageError);
    },
  );
});
