import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seenBy, serve } from '../support/seen-by.ts';
import { DEVICE, type Family, overlayIp, overlayOfBoth, subnetEnvOf, subnetIn } from './families.ts';
import { type Agent, eventually, type Lab, type LabNode, makeLab } from './lab.ts';
import { makePod, type Pod } from './pod.ts';

const CONFIG = {
  Network: '10.244.0.0/16',
  EnableIPv6: true,
  IPv6Network: 'fd00:10:244::/48',
  Backend: { Type: 'vxlan' },
};

let lab: Lab;
let node: LabNode;
let peer: LabNode;
let agent: Agent;
let pods: readonly Pod[];

beforeAll(async () => {
  lab = await makeLab(3, { config: CONFIG, underlay: 'dual' });
  const [first, second] = lab.nodes;
  if (first === undefined || second === undefined) throw new Error('there are no nodes');
  [node, peer] = [first, second];
  agent = await node.up({ flags: ['--ip-masq'] });
  await peer.up({ flags: ['--ip-masq'] });
  pods = [await makePod(node), await makePod(peer)];
  const subnets = await Promise.all([subnetIn(peer, 4), subnetIn(peer, 6)]);
  await eventually(async () => {
    const overlay = (await overlayOfBoth(node)).join('\n');
    for (const subnet of subnets) expect(overlay).toContain(subnet);
  }, 5000);
}, 120_000);
afterAll(async () => {
  for (const { namespace } of pods) await namespace.remove();
  await lab.remove();
});

function podOf(index: number): Pod {
  const found = pods[index];
  if (found === undefined) throw new Error(`there is no pod ${index}`);
  return found;
}

describe.each([4, 6] as const)('a dual-stack node, family %i', (family: Family) => {
  it('has a device of its own with the address of its subnet', async () => {
    const overlay = (await overlayOfBoth(node)).join('\n');
    const local = family === 4 ? '192.168.9.1' : 'fd00:9::1';
    expect(overlay).toMatch(
      new RegExp(`${DEVICE[family]}: .* vxlan id 1 local ${local} dev eth0 .*dstport 8472 nolearning`),
    );
    expect(overlay).toContain(`${await overlayIp(node, family)}/${family === 4 ? 32 : 128} scope global`);
  });

  it('has neighbour, forwarding entry and route of the peer', async () => {
    const overlay = (await overlayOfBoth(node)).join('\n');
    const [mac] = await peer.lines(`cat /sys/class/net/${DEVICE[family]}/address`);
    const [ip, subnet] = [await overlayIp(peer, family), await subnetIn(peer, family)];
    expect(overlay).toContain(`${ip} lladdr ${mac} PERMANENT`);
    expect(overlay).toContain(`${mac} dst ${family === 4 ? '192.168.9.2' : 'fd00:9::2'} self permanent`);
    expect(overlay).toMatch(new RegExp(`${subnet} via ${ip} .*onlink`));
  });

  it('carries a full-size packet from pod to pod, and nothing larger', async () => {
    const mtu = Number((await subnetEnvOf(node))['FLANNEL_MTU']);
    const payload = mtu - (family === 4 ? 28 : 48);
    const ping = (bytes: number) =>
      podOf(0).namespace.run(`ping -${family} -c1 -W2 -M do -s ${bytes} ${podOf(1).address(family)}`);
    await eventually(() => ping(payload), 3000);
    await expect(ping(payload + 1)).rejects.toThrow();
  });
});

describe('a pod of a dual-stack node', { timeout: 60_000 }, () => {
  it.each([
    ['192.168.9.254', '192.168.9.1'],
    ['fd00:9::254', 'fd00:9::1'],
  ])('is seen by %s outside as its node, and by another pod as itself', async (outside, own) => {
    const family = own.includes(':') ? 6 : 4;
    const servers = [await serve(lab.hub), await serve(podOf(1).namespace)];
    await eventually(async () => expect(await seenBy(outside, podOf(0).namespace)).toBe(own), 20_000);
    expect(await seenBy(podOf(1).address(family), podOf(0).namespace)).toBe(podOf(0).address(family));
    for (const server of servers) server.kill('SIGKILL');
  });
});

describe('a dual-stack node', () => {
  it('has both families in subnet.env, with the MTU of the smaller device', async () => {
    expect(await subnetEnvOf(node)).toEqual({
      FLANNEL_NETWORK: '10.244.0.0/16',
      FLANNEL_SUBNET: expect.stringMatching(/^10\.244\.\d+\.1\/24$/),
      FLANNEL_IPV6_NETWORK: 'fd00:10:244::/48',
      FLANNEL_IPV6_SUBNET: expect.stringMatching(/^fd00:10:244:[\da-f:]*1\/64$/),
      FLANNEL_MTU: '1430',
      FLANNEL_IPMASQ: 'true',
    });
  });

  it('holds one lease of both families', async () => {
    const key = `${await subnetIn(node, 4)}&${await subnetIn(node, 6)}`.replaceAll('/', '-');
    const value = await lab.etcdctl(`get --print-value-only /coreos.com/network/subnets/${key}`);
    expect(JSON.parse(value)).toEqual({
      PublicIP: '192.168.9.1',
      PublicIPv6: 'fd00:9::1',
      BackendType: 'vxlan',
      BackendData: { VNI: 1, VtepMAC: (await node.lines('cat /sys/class/net/flannel.1/address'))[0] },
      BackendV6Data: { VNI: 1, VtepMAC: (await node.lines('cat /sys/class/net/flannel-v6.1/address'))[0] },
    });
  });

  it('has the rules of both families', async () => {
    for (const [program, family] of [
      ['iptables', 4],
      ['ip6tables', 6],
    ] as const) {
      const saved = (await node.lines(`${program}-save`)).join('\n');
      const [network, subnet] = [family === 4 ? '10.244.0.0/16' : 'fd00:10:244::/48', await subnetIn(node, family)];
      expect(saved).toContain(`-A FLANNEL-FWD -s ${network} -m comment --comment "flanneld forward" -j ACCEPT`);
      expect(saved).toContain(
        `-A FLANNEL-POSTRTG -s ${subnet} -d ${network} -m comment --comment "flanneld masq" -j RETURN`,
      );
    }
  });

  const drift: Readonly<Record<string, () => Promise<string> | string>> = {
    'a deleted route': async () => `ip -6 route del ${await subnetIn(peer, 6)}`,
    'a route that leads elsewhere': async () =>
      `ip -6 route replace ${await subnetIn(peer, 6)} via fd00:10:244:ffff:: dev flannel-v6.1 onlink`,
    'a deleted neighbour': async () => `ip neigh del ${await overlayIp(peer, 6)} dev flannel-v6.1`,
    'a neighbour with another MAC': async () =>
      `ip neigh replace ${await overlayIp(peer, 6)} lladdr 02:02:02:02:02:02 dev flannel-v6.1 nud permanent`,
    'a deleted forwarding entry': async () =>
      `bridge fdb del ${(await peer.lines('cat /sys/class/net/flannel-v6.1/address'))[0]} dev flannel-v6.1`,
    'a forwarding entry to another host': async () =>
      `bridge fdb replace ${(await peer.lines('cat /sys/class/net/flannel-v6.1/address'))[0]} dev flannel-v6.1 dst fd00:9::77 self permanent`,
    'a flushed address': () => 'ip -6 addr flush dev flannel-v6.1',
    'another MAC of the device': () => 'ip link set flannel-v6.1 address 02:00:00:00:00:99',
    'another MTU': () => 'ip link set flannel-v6.1 mtu 1400',
    'an MTU too small for IPv6': () => 'ip link set flannel-v6.1 mtu 1000',
    'a link that is down': () => 'ip link set flannel-v6.1 down',
    'a deleted link': () => 'ip link del flannel-v6.1',
    'an entry that serves nobody': () =>
      'ip neigh replace fd00:10:244:ffff:: lladdr 02:02:02:02:02:03 dev flannel-v6.1 nud permanent',
  };
  for (const [what, command] of Object.entries(drift)) {
    it(`repairs ${what} of IPv6`, { timeout: 90_000 }, async () => {
      const before = await overlayOfBoth(node);
      await node.namespace.run(await command());
      await eventually(async () => expect(await overlayOfBoth(node)).toEqual(before), 8000);
      await eventually(async () => node.namespace.run(`ping -6 -c1 -W1 ${await overlayIp(peer, 6)}`), 4000);
    });
  }

  it.each([
    ['', '192.168.9.3', 'fd00:9::3'],
    ['--iface=192.168.9.3 --public-ipv6=fd00:9::3', '192.168.9.3', 'fd00:9::3'],
    ['--iface=eth0 --public-ip=203.0.113.9 --public-ipv6=2001:db8::9', '203.0.113.9', '2001:db8::9'],
  ])('advertises what it is told with %j, and sends from its own addresses', { timeout: 60_000 }, async (...row) => {
    const [flags, publicIP, publicIPv6] = row;
    const given = flags.split(' ').filter((flag) => flag !== '');
    const { stdout = '' } = (await lab.nodes[2]?.cli('up', '--dry-run', '-o', 'json', ...given)) ?? {};
    const { changes, ...rest } = JSON.parse(stdout);
    expect(rest).toMatchObject({ iface: 'eth0', publicIP, publicIPv6 });
    const locals = changes.flatMap((line: string) => / local (\S+) /.exec(line)?.[1] ?? []);
    expect(locals).toEqual(['192.168.9.3', 'fd00:9::3']);
  });

  it('is the same after a restart', { timeout: 90_000 }, async () => {
    const before = await overlayOfBoth(node);
    agent.signal('SIGKILL');
    await agent.ended;
    agent = await node.up({ flags: ['--ip-masq'] });
    expect(await overlayOfBoth(node)).toEqual(before);
  });

  it('is down after down: nothing of either family is left, and the lease stays', { timeout: 90_000 }, async () => {
    const key = `${await subnetIn(node, 4)}&${await subnetIn(node, 6)}`.replaceAll('/', '-');
    expect((await node.cli('status')).exitCode).toBe(0);
    await node.namespace.run(`ip -6 route del ${await subnetIn(peer, 6)}`);
    await eventually(async () => expect((await node.cli('status')).exitCode).toBe(0), 8000);
    agent.signal('SIGTERM');
    await agent.ended;
    await node.namespace.run(`ip -6 route del ${await subnetIn(peer, 6)}`);
    const { exitCode, stdout } = await node.cli('status');
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringContaining(`add route: ip route add ${await subnetIn(peer, 6)}`),
    ]);
    expect((await node.cli('down')).exitCode).toBe(0);
    expect((await node.cli('status')).exitCode).toBe(3);
    expect(await overlayOfBoth(node)).toEqual([]);
    const saved = [...(await node.lines('iptables-save')), ...(await node.lines('ip6tables-save'))];
    expect(saved.filter((line) => /flannel/i.test(line))).toEqual([]);
    expect(await node.lines(`ls ${node.subnetFile}`)).toEqual([]);
    expect(await lab.etcdctl(`get --keys-only /coreos.com/network/subnets/${key}`)).toContain(key);
  });
});
