import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSubnetKey, parseSubnetKey } from '../../src/store/subnet-key.ts';

test.each([
  ['10.5.52.0-24', '10.5.52.0/24', null],
  ['10.5.52.0-24&fc00:0:1::-64', '10.5.52.0/24', 'fc00:0:1::/64'],
  ['0.0.0.0-0&fc00::-64', null, 'fc00::/64'],
  ['junk10.5.52.0-24', '10.5.52.0/24', null],
  ['/a/b/subnets/10.5.52.0-24', '10.5.52.0/24', null],
  ['10.5.52.0-31', '10.5.52.0/31', null],
  ['10.5.52.7-24', '10.5.52.0/24', null],
  ['0.0.0.0-0', '0.0.0.0/0', null],
])('reads %s as flannel does', (key, subnet, ipv6Subnet) => {
  expect(parseSubnetKey(key)).toEqual({ subnet, ipv6Subnet });
});

test.each([
  '10.5.52.0-32',
  '10.5.52.0-24&fc00::-128',
  '10.5.52.0-24&FC00::-64',
  '10.5x52.0-24',
  '10.5.52.0/24',
  '10.5.52.0-24 ',
  '10.5.52.0-24\n',
  '256.5.52.0-24',
  '10.05.52.0-24',
  '10.5.52.0-24&:::-64',
  'config',
  '',
])('refuses %j as flannel does', (key) => {
  expect(parseSubnetKey(key)).toBeUndefined();
});

test('reads back what it writes', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(octet, octet, fc.boolean(), (a, b, isDual) => {
      const pair = { subnet: `10.${a}.${b}.0/24`, ipv6Subnet: isDual ? `fd00:${(a + 1).toString(16)}::/64` : null };
      expect(parseSubnetKey(formatSubnetKey(pair))).toEqual(pair);
    }),
  );
});
