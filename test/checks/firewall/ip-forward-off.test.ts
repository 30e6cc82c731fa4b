import { expect, it } from 'vitest';
import check from '../../../src/checks/firewall/ip-forward-off.ts';
import type { InterfaceInfo } from '../../../src/facts/interfaces.ts';

const UNKNOWN = { status: 'unknown', reason: 'unreachable', detail: 'no answer' } as const;

function device(name: string): InterfaceInfo {
  const plain = { index: 1, kind: '', mtuBytes: 1500, mac: '', isUp: true, hasCarrier: true, master: null };
  return { ...plain, name, addresses: [], vxlan: null, counters: null };
}

const evaluate = (sysctls: Record<string, string>) =>
  check.evaluate({
    sysctls,
    interfaces: ['eth0', 'eth1', 'flannel.1', 'cni0'].map(device),
    underlay: { status: 'known', value: UNDERLAY },
    network: UNKNOWN,
  });

const UNDERLAY = {
  device: 'eth0',
  mtuBytes: 1500,
  ipv4: '192.168.10.11',
  ipv6: null,
  publicIp: '192.168.10.11',
  publicIpv6: null,
  because: '--iface=eth0',
};

it('holds while the kernel forwards', () => {
  expect(evaluate({ 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.eth0.forwarding': '1' })).toEqual([]);
});

it('tells the global switch alone, which sets every device', () => {
  const [finding, ...others] = evaluate({ 'net.ipv4.ip_forward': '0', 'net.ipv4.conf.eth0.forwarding': '0' });
  expect(others).toEqual([]);
  expect(finding?.about).toEqual(['node']);
  expect(finding?.evidence[0]).toEqual({
    what: 'net.ipv4.ip_forward',
    observed: '0',
    expected: '1',
    source: 'sysctl net.ipv4.ip_forward',
  });
  expect(finding?.remedy).toMatchObject({
    automatic: 'yes',
    actions: [{ kind: 'sysctl', name: 'net.ipv4.ip_forward', value: '1', before: '0' }],
  });
});

it('says which setting it is', () => {
  expect(check.say.en.summary([{ name: 'net.ipv4.ip_forward', value: '0' }])).toBe('net.ipv4.ip_forward is 0, not 1');
});

it('finds a single device of the overlay, with a dot in its name', () => {
  const [finding] = evaluate({ 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.flannel.1.forwarding': '0' });
  expect(finding?.remedy?.commands[0]).toBe('sysctl -w net.ipv4.conf.flannel/1.forwarding=1');
});

it('does not mind a device that carries no packet of pods', () => {
  expect(evaluate({ 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.eth1.forwarding': '0' })).toEqual([]);
});
