import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seenBy, serve } from '../support/seen-by.ts';
import { overlayIp, overlayOfBoth, subnetEnvOf, subnetIn } from './families.ts';
import { type Agent, eventually, type Lab, type LabNode, makeLab } from './lab.ts';
import { makePod, type Pod } from './pod.ts';

const CONFIG = {
  EnableIPv4: false,
  EnableIPv6: true,
  IPv6Network: 'fd00:10:244::/48',
  EnableNFTables: true,
  Backend: { Type: 'vxlan' },
};

let lab: Lab;
let node: LabNode;
let peer: LabNode;
let agent: Agent;
const pods: Pod[] = [];

beforeAll(async () => {
  lab = await makeLab(3, { config: CONFIG, underlay: 'ipv6' });
  const [first, second, third] = lab.nodes;
  if (first === undefined || second === undefined || third === undefined) throw new Error('there are no nodes');
  [node, peer] = [first, second];
  agent = await node.up({ flags: ['--ip-masq'] });
  await peer.up({ flags: ['--ip-masq'] });
  await third.up();
  pods.push(await makePod(node), await makePod(peer));
  const subnet = await subnetIn(third, 6);
  await eventually(async () => expect((await overlayOfBoth(node)).join('\n')).toContain(subnet), 5000);
}, 120_000);
afterAll(async () => {
  for (const { namespace } of pods) await namespace.remove();
  await lab.remove();
});

describe('a node without IPv4', () => {
  it('holds a lease of its own, though every node publishes 0.0.0.0', async () => {
    const subnets = await Promise.all(lab.nodes.map((one) => subnetIn(one, 6)));
    expect(new Set(subnets).size).toBe(3);
    const keys = (await lab.etcdctl('get --prefix --keys-only /coreos.com/network/subnets/')).trim().split(/\s+/);
    expect(keys.sort()).toEqual(
      subnets.map((subnet) => `/coreos.com/network/subnets/0.0.0.0-0&${subnet.replace('/', '-')}`).sort(),
    );
    const key = `/coreos.com/network/subnets/0.0.0.0-0&${(await subnetIn(node, 6)).replace('/', '-')}`;
    expect(JSON.parse(await lab.etcdctl(`get --print-value-only ${key}`))).toEqual({
      PublicIP: '0.0.0.0',
      PublicIPv6: 'fd00:9::1',
      BackendType: 'vxlan',
      BackendV6Data: { VNI: 1, VtepMAC: (await node.lines('cat /sys/class/net/flannel-v6.1/address'))[0] },
    });
  });

  it('has the IPv6 device alone, and IPv6 alone in subnet.env', async () => {
    const overlay = (await overlayOfBoth(node)).join('\n');
    expect(overlay).toContain('flannel-v6.1');
    expect(overlay).not.toContain('flannel.1');
    expect(await subnetEnvOf(node)).toEqual({
      FLANNEL_IPV6_NETWORK: 'fd00:10:244::/48',
      FLANNEL_IPV6_SUBNET: expect.stringMatching(/^fd00:10:244:[\da-f:]*1\/64$/),
      FLANNEL_MTU: '1430',
      FLANNEL_IPMASQ: 'true',
    });
  });

  it('carries a full-size packet from pod to pod, and nothing larger', async () => {
    const [pod, other] = pods;
    const ping = (bytes: number) =>
      pod?.namespace.run(`ping -6 -c1 -W2 -M do -s ${bytes} ${other?.address(6)}`) ?? Promise.reject();
    await eventually(() => ping(1430 - 48), 3000);
    await expect(ping(1430 - 47)).rejects.toThrow();
  });

  it('has the rules of nftables', async () => {
    const subnet = await subnetIn(node, 6);
    expect(await node.lines('nft list table ip6 flannel-ipv6')).toEqual(
      expect.arrayContaining([
        'ip6 saddr fd00:10:244::/48 accept',
        'ip6 daddr fd00:10:244::/48 accept',
        `ip6 saddr ${subnet} ip6 daddr fd00:10:244::/48 return`,
        'ip6 saddr fd00:10:244::/48 ip6 daddr != ff00::/8 masquerade fully-random',
      ]),
    );
  });

  it('masquerades what leaves the network, and nothing in it', { timeout: 60_000 }, async () => {
    const [pod, other] = pods;
    if (pod === undefined || other === undefined) throw new Error('there are no pods');
    const servers = [await serve(lab.hub), await serve(other.namespace)];
    await eventually(async () => expect(await seenBy('fd00:9::254', pod.namespace)).toBe('fd00:9::1'), 20_000);
    expect(await seenBy(other.address(6), pod.namespace)).toBe(pod.address(6));
    for (const server of servers) server.kill('SIGKILL');
  });

  it('keeps its lease and its MAC over a restart and a reboot', { timeout: 90_000 }, async () => {
    const before = await overlayOfBoth(node);
    agent.signal('SIGKILL');
    await agent.ended;
    await node.namespace.run('ip link del flannel-v6.1');
    agent = await node.up({ flags: ['--ip-masq'] });
    await eventually(async () => expect(await overlayOfBoth(node)).toEqual(before), 5000);
    await eventually(async () => node.namespace.run(`ping -6 -c1 -W1 ${await overlayIp(peer, 6)}`), 4000);
  });

  it('says how it is, and goes down with its lease', { timeout: 90_000 }, async () => {
    const subnet = await subnetIn(node, 6);
    const { exitCode, stdout } = await node.cli('status', '-o', 'json');
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ subnet: null, ipv6Subnet: subnet, publicIP: null, publicIPv6: 'fd00:9::1', peers: 2 }),
    ]);
    agent.signal('SIGTERM');
    await agent.ended;
    expect((await node.cli('down', '--release')).exitCode).toBe(0);
    expect(await overlayOfBoth(node)).toEqual([]);
    expect(await node.lines('nft list tables')).toEqual([]);
    expect(await lab.etcdctl('get --prefix --keys-only /coreos.com/network/subnets/')).not.toContain(
      subnet.replace('/', '-'),
    );
  });
});
