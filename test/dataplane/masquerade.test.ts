import { describe, expect, it } from 'vitest';
import { aConfig } from './builders.ts';
import { aTraffic } from './traffic-builders.ts';

const dualStack = aConfig({ enableIPv6: true });

describe('desiredTrafficRules', () => {
  it('keeps flannel’s order: marked and own packets return before anything is masqueraded', () => {
    expect(aTraffic().families[0]?.masquerade).toEqual([
      '-m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN',
      '-s 10.244.1.0/24 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN',
      '-s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN',
      '! -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN',
      '-s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
      '! -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
    ]);
  });

  it('accepts what comes from and goes to the network', () => {
    expect(aTraffic().families[0]?.forward).toEqual([
      '-s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
      '-d 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
    ]);
  });

  it('leaves out --random-fully where it is not supported', () => {
    expect(aTraffic({ randomFully: false }).families[0]?.masquerade?.join('\n')).not.toContain('random');
  });

  it('has no chain for what was not asked for', () => {
    expect(aTraffic({ ipMasq: false }).families[0]).toMatchObject({ masquerade: null });
    expect(aTraffic({ forwardRules: false }).families[0]).toMatchObject({ forward: null });
  });

  it('speaks of IPv6 only where the network has it', () => {
    expect(aTraffic().families[1]).toMatchObject({ family: 6, network: null, masquerade: null, forward: null });
    expect(aTraffic({ config: dualStack }).families[1]?.masquerade?.[4]).toBe(
      '-s fc00::/48 ! -d ff00::/8 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
    );
  });

  it('writes in nftables mode the rules that flannel writes there', () => {
    const config = aConfig({ enableNFTables: true, enableIPv6: true });
    const [ipv4, ipv6] = aTraffic({ config }).families;
    expect(ipv4?.masquerade).toEqual([
      'meta mark 0x4000 return',
      'ip saddr 10.244.1.0/24 ip daddr 10.244.0.0/16 return',
      'ip saddr 10.244.0.0/16 ip daddr 10.244.1.0/24 return',
      'ip saddr != 10.244.1.0/24 ip daddr 10.244.0.0/16 return',
      'ip saddr 10.244.0.0/16 ip daddr != 224.0.0.0/4 masquerade fully-random',
      'ip saddr != 10.244.0.0/16 ip daddr 10.244.0.0/16 masquerade fully-random',
    ]);
    expect(ipv6?.forward).toEqual(['ip6 saddr fc00::/48 accept', 'ip6 daddr fc00::/48 accept']);
  });

  it('refuses a subnet that nobody validated', () => {
    expect(() => aTraffic({ ownSubnet: '10.244.1.0/24\nCOMMIT' })).toThrow(TypeError);
  });
});
