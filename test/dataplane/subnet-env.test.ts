import { describe, expect, it } from 'vitest';
import { renderSubnetEnv, subnetMtu } from '../../src/dataplane/subnet-env.ts';
import { aConfig, aLease } from './builders.ts';

describe('renderSubnetEnv', () => {
  it("writes flannel's keys in flannel's order", () => {
    const config = aConfig({ enableIPv6: true });
    expect(renderSubnetEnv({ config, lease: aLease(7), mtuBytes: 1430, ipMasq: true })).toBe(
      [
        'FLANNEL_NETWORK=10.244.0.0/16',
        'FLANNEL_SUBNET=10.244.7.1/24',
        'FLANNEL_IPV6_NETWORK=fc00::/48',
        'FLANNEL_IPV6_SUBNET=fc00:0:0:7::1/64',
        'FLANNEL_MTU=1430',
        'FLANNEL_IPMASQ=true',
        '',
      ].join('\n'),
    );
  });

  it('leaves out a family that is off', () => {
    const text = renderSubnetEnv({ config: aConfig(), lease: aLease(7), mtuBytes: 1450, ipMasq: false });
    expect(text).not.toContain('IPV6');
  });
});

describe('subnetMtu', () => {
  it('is what the smallest device of the overlay carries', () => {
    expect(subnetMtu(aConfig(), 1500)).toBe(1450);
    expect(subnetMtu(aConfig({ enableIPv6: true }), 1500)).toBe(1430);
  });
});
