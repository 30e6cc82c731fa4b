import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subnetEnvOf } from './families.ts';
import { type Agent, eventually, type Lab, type LabNode, makeLab } from './lab.ts';

const KEY = '/coreos.com/network/config';
const NETWORK = { Network: '10.244.0.0/16', SubnetLen: 25, SubnetMin: '10.244.7.0', SubnetMax: '10.244.8.128' };
const vxlan = (options: object) => ({
  ...NETWORK,
  Backend: { Type: 'vxlan', VNI: 5, Port: 4790, MTU: 1400, ...options },
});

let lab: Lab;
let node: LabNode;
let peer: LabNode;
const agents: Agent[] = [];

beforeAll(async () => {
  lab = await makeLab(2, { config: vxlan({ GBP: true, Learning: true }) });
  const [first, second] = lab.nodes;
  if (first === undefined || second === undefined) throw new Error('there are no nodes');
  [node, peer] = [first, second];
  for (const one of lab.nodes) agents.push(await one.up());
}, 60_000);
afterAll(() => lab.remove());

const link = async (device = 'flannel.5') => (await node.lines(`ip -d -o link show ${device}`)).join(' ');
const network = async (one: LabNode) =>
  ((await subnetEnvOf(one))['FLANNEL_SUBNET'] ?? '').replace(/\.1\/|\.129\//, (end) =>
    end === '.1/' ? '.0/' : '.128/',
  );
const route = async () => (await node.lines(`ip route show ${await network(peer)}`)).join(' ');

describe('the options of the network configuration', () => {
  it('reach the device as flannel would make it', async () => {
    const made = await link();
    expect(made).toMatch(/flannel\.5: .*mtu 1350 .*vxlan id 5 local 192\.168\.9\.1 dev eth0 .*dstport 4790 /);
    expect(made).toContain(' gbp');
    expect(made).not.toContain('nolearning');
    expect(await subnetEnvOf(node)).toMatchObject({ FLANNEL_MTU: '1350' });
  });

  it('reach the lease: length and range of the subnet, and the VNI', async () => {
    const subnet = await network(node);
    expect(subnet).toMatch(/^10\.244\.(7\.0|7\.128|8\.0|8\.128)\/25$/);
    const value = await lab.etcdctl(`get --print-value-only /coreos.com/network/subnets/${subnet.replace('/', '-')}`);
    expect(JSON.parse(value).BackendData.VNI).toBe(5);
  });

  it('carry traffic', async () => {
    await eventually(
      async () => node.namespace.run(`ping -c1 -W1 ${(await network(peer)).replace(/\/25/, '')}`),
      15_000,
    );
  });
});

describe('a change of the network configuration', { timeout: 200_000 }, () => {
  const told = (pattern: RegExp) => eventually(async () => expect(agents[0]?.log()).toMatch(pattern), 90_000);

  it('is taken where each node may take it alone', async () => {
    expect(await route()).toContain('dev flannel.5');
    const before = await network(node);
    await lab.put(KEY, {
      ...vxlan({ GBP: true, Learning: false, DirectRouting: true, MTU: 1300 }),
      EnableNFTables: true,
      SubnetMin: '10.244.9.0',
      SubnetMax: '10.244.9.128',
    });
    await told(/the network configuration changed and is taken/);
    await eventually(async () => expect(await link()).toMatch(/mtu 1250 .* nolearning/), 15_000);
    // subnet.env is written at the end of the round.
    await eventually(async () => expect(await subnetEnvOf(node)).toMatchObject({ FLANNEL_MTU: '1250' }), 15_000);
    expect(await route()).toBe(`${await network(peer)} via 192.168.9.2 dev eth0`);
    await eventually(
      async () => expect((await node.lines('nft list tables')).join()).toContain('ip flannel-ipv4'),
      15_000,
    );
    expect((await node.lines('iptables-save')).join()).not.toContain('FLANNEL');
    expect(await network(node)).toBe(before);
    expect(agents[0]?.log()).toMatch(/is none that the new configuration gives out.* subnet=10\.244\.[78]/);
  });

  it('is told with what to do, and not taken, where all nodes must take it together', async () => {
    const before = await link();
    await lab.put(KEY, vxlan({ VNI: 6, Port: 4791, GBP: true }));
    await told(/changed="VNI 5 → 6, Port 4790 → 4791" todo="on every node, one right after the other: systemctl stop/);
    expect(await link()).toBe(before);
    expect(await node.lines('ip link show flannel.6')).toEqual([]);
  });

  it('is in force once every node did what was told', async () => {
    for (const [at, one] of lab.nodes.entries()) {
      agents[at]?.signal('SIGTERM');
      await agents[at]?.ended;
      expect((await one.cli('down')).exitCode).toBe(0);
      agents[at] = await one.up();
    }
    expect(await node.lines('ip link show flannel.5')).toEqual([]);
    expect(await link('flannel.6')).toMatch(/vxlan id 6 .*dstport 4791/);
    await eventually(
      async () => node.namespace.run(`ping -c1 -W1 ${(await network(peer)).replace(/\/25/, '')}`),
      15_000,
    );
  });
});

describe('a network configuration that nobody can use', { timeout: 200_000 }, () => {
  it('is told once, and not taken', async () => {
    const before = await link('flannel.6');
    await lab.etcdctl(`put ${KEY} {"Network":"10.244.0.0/33"}`);
    const refusals = () => agents[0]?.log().match(/in the datastore cannot be used/g) ?? [];
    await eventually(async () => expect(refusals()).toHaveLength(1), 90_000);
    expect(agents[0]?.log()).toMatch(
      /Network of the network configuration is .*not an IPv4 network.*todo="flannelctl config set FILE"/,
    );
    expect(await link('flannel.6')).toBe(before);
  });
});
