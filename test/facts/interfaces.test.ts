import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type InterfaceInfo, interfacesFact } from '../../src/facts/interfaces.ts';
import { collect, observe } from '../support/collect.ts';
import { recordedHost } from '../support/recorded.ts';

const COMMAND = 'ip -j -d -s addr';
// iproute2 6.1.0, kernel 6.18: a node with flannel.1, cni0 and a pod, and two vxlan devices of others.
const RECORDED = await readFile(new URL('./recorded/ip-addr.json', import.meta.url), 'utf8');

async function interfacesOf(output: string): Promise<ReadonlyMap<string, InterfaceInfo>> {
  const found = await collect(interfacesFact, { host: recordedHost({ commands: { [COMMAND]: output } }) });
  return new Map(found.map((link) => [link.name, link]));
}

function observeOutput(output: unknown) {
  const text = typeof output === 'string' ? output : JSON.stringify(output);
  return observe(interfacesFact, { host: recordedHost({ commands: { [COMMAND]: text } }) });
}

const LINK = { ifindex: 4, ifname: 'flannel.1', flags: ['UP'], mtu: 1450, address: '12:f5:d6:64:72:43' };

describe('interfaces', () => {
  it('reads flannel.1 as it is', async () => {
    expect((await interfacesOf(RECORDED)).get('flannel.1')).toMatchObject({
      index: 4,
      kind: 'vxlan',
      mtuBytes: 1450,
      mac: '12:f5:d6:64:72:43',
      isUp: true,
      hasCarrier: true,
      vxlan: { vni: 1, port: 8472, local: '192.168.10.11', underlay: 'eth0', learning: false, gbp: false },
      counters: { rxPackets: 0, txPackets: 0, rxDropped: 0, txDropped: 5, txErrors: 0 },
    });
  });

  it('reads the addresses of both families', async () => {
    expect((await interfacesOf(RECORDED)).get('flannel.1')?.addresses).toMatchObject([
      { family: 4, ip: '10.244.1.0', prefixLength: 32, scope: 'global' },
      { family: 6, ip: 'fe80::10f5:d6ff:fe64:7243', prefixLength: 64, scope: 'link' },
    ]);
  });

  it('tells a bridge that is up from one that has a carrier', async () => {
    expect((await interfacesOf(RECORDED)).get('cni0')).toMatchObject({ kind: 'bridge', isUp: true, hasCarrier: false });
  });

  it('names the bridge of a port', async () => {
    expect((await interfacesOf(RECORDED)).get('veth1a')?.master).toBe('cni0');
  });

  it('reads the local address of an IPv6 tunnel, which iproute2 calls local6', async () => {
    expect((await interfacesOf(RECORDED)).get('vx2')?.vxlan).toMatchObject({
      local: 'fd00::1',
      underlay: null,
      gbp: true,
    });
  });

  it('has no MAC for the loopback device', async () => {
    expect((await interfacesOf(RECORDED)).get('lo')?.mac).toBe('');
  });

  it('has no counters where ip prints none', async () => {
    expect((await interfacesOf(JSON.stringify([LINK]))).get('flannel.1')?.counters).toBeNull();
  });

  it('shows the escape sequence in the name of a device instead of sending it', async () => {
    expect([...(await interfacesOf(JSON.stringify([{ ...LINK, ifname: 'a\u001b[31m' }]))).keys()]).toEqual([
      'a\\u001b[31m',
    ]);
  });

  it.each([
    ['no JSON', 'Object "addr" is unknown'],
    ['half a document', '[{"ifindex":1'],
    ['no list', { ifindex: 1 }],
    ['a word for the mtu', [{ ...LINK, mtu: '1450; reboot' }]],
    [
      'an address that is none',
      [{ ...LINK, addr_info: [{ family: 'inet', local: '10.244.1.0 dev x', prefixlen: 32 }] }],
    ],
    ['a vxlan without its data', [{ ...LINK, linkinfo: { info_kind: 'vxlan' } }]],
  ])('calls %s malformed', async (_, output) => {
    expect(await observeOutput(output)).toMatchObject({ status: 'unknown', reason: 'malformed' });
  });

  it('cannot work with an ip that knows no JSON', async () => {
    const failed = { exitCode: 1, stdout: '', stderr: 'ip: invalid option -- j\n' };
    expect(await observe(interfacesFact, { host: recordedHost({ commands: { [COMMAND]: failed } }) })).toEqual({
      status: 'unknown',
      reason: 'unsupported',
      detail: '"ip -j -d -s addr" failed: ip: invalid option -- j',
    });
  });
});
