import { describe, expect, it } from 'vitest';
import type { RouteEntry } from '../../src/dataplane/entry.ts';
import { chooseUnderlay, type UnderlayInput } from '../../src/dataplane/underlay.ts';
import type { UnderlayAddress, UnderlayInterface } from '../../src/dataplane/underlay-address.ts';

const anAddress = (ip: string, values: Partial<UnderlayAddress> = {}): UnderlayAddress => ({
  family: ip.includes(':') ? 6 : 4,
  ip,
  scope: ip.startsWith('fe80') ? 'link' : 'global',
  isDynamic: false,
  isTemporary: false,
  isDeprecated: false,
  ...values,
});

const aFace = (name: string, ...addresses: (UnderlayAddress | string)[]): UnderlayInterface => ({
  name,
  mtuBytes: 1500,
  addresses: addresses.map((address) => (typeof address === 'string' ? anAddress(address) : address)),
});

const aRoute = (dst: string, device: string | null, values: Partial<RouteEntry> = {}): RouteEntry => ({
  kind: 'route',
  dst,
  via: '10.0.0.254',
  device,
  isOnlink: false,
  metric: 0,
  ...values,
});

const INTERFACES = [
  aFace('lo', '127.0.0.1'),
  aFace('eth0', '10.0.0.1', 'fd00::1', 'fe80::1'),
  aFace('eth1', '110.0.0.1', 'fd01::1'),
];
const ROUTES = [aRoute('0.0.0.0/0', 'eth1'), aRoute('0.0.0.0/0', 'eth0', { metric: 100 }), aRoute('::/0', 'eth1')];

function choose(options: Partial<UnderlayInput['options']> = {}, input: Partial<UnderlayInput> = {}) {
  const none = { iface: [], ifaceRegex: [], ifaceCanReach: '', publicIp: '', publicIpv6: '' };
  const base = { interfaces: INTERFACES, routes: ROUTES, wantsIpv4: true, wantsIpv6: false };
  const choice = chooseUnderlay({ ...base, ...input, options: { ...none, ...options } });
  return choice.status === 'chosen' ? choice.underlay : choice.reason;
}

describe('chooseUnderlay', () => {
  it('takes the first default route that the kernel lists', () => {
    expect(choose()).toMatchObject({ device: 'eth1', publicIp: '110.0.0.1', because: 'default route' });
  });

  it('says what flannel would, with the main table alone, when there is no default route, or one with several gateways', () => {
    expect(choose({}, { routes: [] })).toBe('failed to get default interface: unable to find default route');
    expect(choose({}, { routes: [aRoute('0.0.0.0/0', null, { via: null })] })).toContain(
      'could not determine interface',
    );
  });

  it('refuses default routes of two families on two interfaces', () => {
    const routes = [aRoute('0.0.0.0/0', 'eth0'), aRoute('::/0', 'eth1')];
    expect(choose({}, { routes, wantsIpv6: true })).toContain(
      'eth1 must be the same with v4 default route interface eth0',
    );
  });

  it('takes the owner of --public-ip when nothing else is given', () => {
    expect(choose({ publicIp: '10.0.0.1' })).toMatchObject({ device: 'eth0', because: '--public-ip=10.0.0.1' });
    expect(choose({ publicIp: '8.8.8.8' })).toBe(
      'error looking up interface 8.8.8.8: no interface with given IP found',
    );
  });

  it('advertises --public-ip of an interface chosen otherwise', () => {
    expect(choose({ iface: ['eth0'], publicIp: '8.8.8.8' })).toMatchObject({ ipv4: '10.0.0.1', publicIp: '8.8.8.8' });
  });

  it('lets the tunnel send from an address of this host when the advertised one is behind NAT', () => {
    expect(choose({ iface: ['eth0'], publicIp: '8.8.8.8' })).toMatchObject({ tunnelIpv4: '10.0.0.1' });
    expect(choose({ iface: ['eth0'], publicIp: '110.0.0.1' })).not.toHaveProperty('tunnelIpv4');
    expect(choose({ iface: ['eth0'] })).not.toHaveProperty('tunnelIpv4');
  });

  it('tries --iface in order, names and addresses alike, before --iface-regex', () => {
    expect(choose({ iface: ['eth9', '110.0.0.1', 'eth0'], ifaceRegex: ['eth0'] })).toMatchObject({
      device: 'eth1',
      because: '--iface=110.0.0.1',
    });
  });

  it('matches a pattern unanchored, and addresses before names', () => {
    expect(choose({ ifaceRegex: ['10.0'] })).toMatchObject({ device: 'eth0' });
    expect(choose({ ifaceRegex: ['^110'] })).toMatchObject({ device: 'eth1' });
    expect(choose({ ifaceRegex: ['(?i)ETH1$'] })).toMatchObject({ device: 'eth1' });
    expect(choose({ ifaceRegex: ['(?!x)'] })).toContain('could not compile');
  });

  it('takes the interface and source address that lead to --iface-can-reach', () => {
    const routes = [...ROUTES, aRoute('172.16.0.0/12', 'eth0', { src: '10.0.0.1' })];
    expect(choose({ ifaceCanReach: '172.16.5.5' }, { routes })).toMatchObject({ device: 'eth0', ipv4: '10.0.0.1' });
    expect(choose({ ifaceCanReach: '172.16.5.5' }, { routes: [] })).toContain('no route to 172.16.5.5');
  });

  it('prefers a permanent address to a dynamic one and never takes a deprecated one', () => {
    const face = aFace(
      'eth0',
      anAddress('169.254.1.1', { scope: 'link' }),
      anAddress('10.0.0.2', { isDeprecated: true }),
      anAddress('10.0.0.3', { isDynamic: true }),
      anAddress('10.0.0.4'),
    );
    expect(choose({ iface: ['eth0'] }, { interfaces: [face] })).toMatchObject({ ipv4: '10.0.0.4' });
  });

  it('asks in dual stack for --public-ipv6 when the interface is named by its IPv4 address', () => {
    const dual = { wantsIpv6: true };
    expect(choose({ iface: ['10.0.0.1'] }, dual)).toContain('failed to find IPv6 address for interface eth0');
    expect(choose({ iface: ['10.0.0.1'], publicIpv6: 'fd00::1' }, dual)).toMatchObject({ ipv6: 'fd00::1' });
  });

  it('has no IPv4 address on an IPv6-only node', () => {
    expect(choose({}, { wantsIpv4: false, wantsIpv6: true })).toMatchObject({
      device: 'eth1',
      publicIp: null,
      publicIpv6: 'fd01::1',
    });
  });
});
