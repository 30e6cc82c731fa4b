import { describe, expect, it } from 'vitest';
import {
  canonicalIp,
  canonicalNetwork,
  contains,
  containsIp,
  nthAddress,
  overlaps,
  parseCidr,
} from '../../src/net/cidr.ts';

const cidr = (text: string) => {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`${text} is no network`);
  return parsed;
};

describe('networks as arithmetic', () => {
  it('keeps the address as written and clears the host part of the network', () => {
    expect(cidr('10.244.1.7/24')).toEqual({
      family: 4,
      address: '10.244.1.7',
      network: '10.244.1.0',
      prefixLength: 24,
    });
  });

  it.each([
    '10.0.0.256/8',
    '010.0.0.1/8',
    '10.0.0/8',
    '10.0.0.0/33',
    '10.0.0.0',
    '::1%eth0/64',
    'fc00::/129',
    ' 10.0.0.0/8',
    '10.0.0.0/8\n',
  ])('refuses %j', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  it('writes IPv6 as RFC 5952 has it', () => {
    expect(canonicalIp('FC00:0:0:0:0:0:0:1')).toBe('fc00::1');
    expect(canonicalNetwork('fc00:0:1::5/64')).toBe('fc00:0:1::/64');
  });

  it('tells containment and overlap within one family', () => {
    expect(contains(cidr('10.244.0.0/16'), cidr('10.244.7.0/24'))).toBe(true);
    expect(contains(cidr('10.244.7.0/24'), cidr('10.244.0.0/16'))).toBe(false);
    expect(overlaps(cidr('10.244.7.0/24'), cidr('10.244.0.0/16'))).toBe(true);
    expect(overlaps(cidr('10.244.7.0/24'), cidr('10.244.8.0/24'))).toBe(false);
    expect(overlaps(cidr('0.0.0.0/0'), cidr('::/0'))).toBe(false);
    expect(containsIp(cidr('fc00::/64'), 'fc00::9')).toBe(true);
  });

  it('counts addresses from the network address', () => {
    expect(nthAddress(cidr('10.244.1.0/24'), 1)).toBe('10.244.1.1');
    expect(nthAddress(cidr('fc00::/64'), 1)).toBe('fc00::1');
  });
});
