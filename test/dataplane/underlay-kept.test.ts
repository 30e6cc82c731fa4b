import { describe, expect, it } from 'vitest';
import type { Underlay } from '../../src/dataplane/underlay.ts';
import type { UnderlayAddress } from '../../src/dataplane/underlay-address.ts';
import { keptUnderlay } from '../../src/dataplane/underlay-kept.ts';

const LAST: Underlay = {
  device: 'eth0',
  mtuBytes: 1500,
  ipv4: '192.168.9.1',
  ipv6: null,
  publicIp: '203.0.113.7',
  publicIpv6: null,
  because: 'default route',
};

function eth0(mtuBytes: number, ...ips: readonly string[]) {
  const rest = { family: 4, scope: 'global', isDynamic: false, isTemporary: false, isDeprecated: false } as const;
  return { name: 'eth0', mtuBytes, addresses: ips.map((ip): UnderlayAddress => ({ ip, ...rest })) };
}

describe('the interface of before', () => {
  it('is kept while it has the address that the tunnel sends from, with the MTU of now', () => {
    const interfaces = [eth0(1400, '192.168.9.41', '192.168.9.1')];
    expect(keptUnderlay(LAST, { interfaces })).toEqual({ ...LAST, mtuBytes: 1400 });
  });

  it.each([
    ['its address is gone', [eth0(1500, '192.168.9.41')]],
    ['it is gone', []],
    ['it has no MTU', [eth0(0, '192.168.9.1')]],
  ])('is not kept when %s', (_why, interfaces) => {
    expect(keptUnderlay(LAST, { interfaces })).toBeUndefined();
  });

  it('is none where none was chosen yet', () => {
    expect(keptUnderlay(undefined, { interfaces: [eth0(1500, '192.168.9.1')] })).toBeUndefined();
  });
});
