import { describe, expect, it } from 'vitest';
import { sysctlArgument, sysctlsFact } from '../../src/facts/sysctls.ts';
import { collect, observe } from '../support/collect.ts';
import { forbidden, type RecordedParts, recordedHost } from '../support/recorded.ts';

const LINK = { flags: ['UP'], mtu: 1500, address: '12:f5:d6:64:72:43' };
const ADDRESS = { family: 'inet', local: '192.168.10.11', prefixlen: 24, scope: 'global' };
const LINKS = JSON.stringify([
  { ...LINK, ifindex: 2, ifname: 'eth0', linkinfo: { info_kind: 'veth' }, addr_info: [ADDRESS] },
  { ...LINK, ifindex: 3, ifname: 'flannel.1' },
  { ...LINK, ifindex: 4, ifname: 'veth9', linkinfo: { info_kind: 'veth' }, master: 'cni0' },
]);

function hostWith(files: NonNullable<RecordedParts['files']>) {
  return recordedHost({ commands: { 'ip -j -d -s addr': LINKS }, files });
}

describe('sysctls', () => {
  it('names a setting of a device by the name of the device, dots and all', async () => {
    const host = hostWith({ '/proc/sys/net/ipv4/conf/flannel.1/rp_filter': '2\n' });
    expect(await collect(sysctlsFact, { host })).toEqual({ 'net.ipv4.conf.flannel.1.rp_filter': '2' });
  });

  it('leaves out what the kernel does not have', async () => {
    const host = hostWith({ '/proc/sys/net/ipv4/ip_forward': '0\n' });
    expect(await collect(sysctlsFact, { host })).toEqual({ 'net.ipv4.ip_forward': '0' });
  });

  it('reads a veth that carries the underlay, and not that of a pod', async () => {
    const host = hostWith({
      '/proc/sys/net/ipv4/conf/eth0/forwarding': '1\n',
      '/proc/sys/net/ipv4/conf/veth9/forwarding': '1\n',
    });
    expect(await collect(sysctlsFact, { host })).toEqual({ 'net.ipv4.conf.eth0.forwarding': '1' });
  });

  it('does not take an unmounted /proc/sys for a kernel without settings', async () => {
    expect(await observe(sysctlsFact, { host: hostWith({}) })).toMatchObject({
      status: 'unknown',
      reason: 'unsupported',
    });
  });

  it('does not leave out what it may not read', async () => {
    const path = '/proc/sys/net/ipv4/ip_forward';
    expect(await observe(sysctlsFact, { host: hostWith({ [path]: forbidden(path) }) })).toMatchObject({
      status: 'unknown',
      reason: 'permission',
    });
  });

  it.each([
    ['net.ipv4.conf.flannel.1.rp_filter', 'net.ipv4.conf.flannel/1.rp_filter'],
    ['net.ipv4.ip_forward', 'net.ipv4.ip_forward'],
    ['net.ipv6.conf.all.forwarding', 'net.ipv6.conf.all.forwarding'],
  ])('writes %s for sysctl as %s', (name, argument) => {
    expect(sysctlArgument(name)).toBe(argument);
  });
});
