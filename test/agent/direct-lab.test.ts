import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foreignOf, plantForeign, sh } from './foreign-objects.ts';
import { type Agent, eventually, type Lab, type LabNode, makeLab, subnetOf } from './lab.ts';
import { expectRepair, kernelOf, tellRepairs } from './repair.ts';
import { addPod, type Pod, podsReach } from './traffic.ts';

/**
 * DirectRouting. Nodes 1 and 2 on one switch; node 4 in a net of its own, 192.168.10.2, behind the third namespace, which is a router and
 * runs no agent.
 */
let lab: Lab;
let node: LabNode;
let near: { readonly subnet: string; readonly ip: string };
let far: { readonly subnet: string; readonly ip: string };
const pods: Pod[] = [];
const agents: Agent[] = [];

beforeAll(async () => {
  lab = await makeLab(4);
  const [first, second, router, fourth] = lab.nodes;
  if (first === undefined || second === undefined || router === undefined || fourth === undefined)
    throw new Error('there are no nodes');
  node = first;
  await lab.put('/coreos.com/network/config', {
    Network: '10.244.0.0/16',
    Backend: { Type: 'vxlan', DirectRouting: true },
  });
  await sh(fourth, 'ip link del eth0');
  await sh(router, `ip link add eth1 type veth peer name eth0 netns ${fourth.namespace.name}`);
  await sh(router, 'ip addr add 192.168.10.1/24 dev eth1; ip link set eth1 up; sysctl -qw net.ipv4.ip_forward=1');
  await sh(fourth, 'ip addr add 192.168.10.2/24 dev eth0; ip link set eth0 up; ip route add default via 192.168.10.1');
  const toFar = 'ip route add 192.168.10.0/24 via 192.168.9.3';
  for (const one of [first, second]) await sh(one, toFar);
  await lab.hub.run(toFar);
  for (const one of [first, second, fourth])
    agents.push(await one.up({ flags: ['--ip-masq', '--healthz-port', '8081'] }));
  for (const one of [first, second, fourth]) pods.push(await addPod(one));
  near = { subnet: await subnetOf(second), ip: '192.168.9.2' };
  far = { subnet: await subnetOf(fourth), ip: '192.168.10.2' };
  await podsReach(pods, 60_000);
  await plantForeign(node, near.subnet);
}, 240_000);
afterAll(async () => {
  tellRepairs();
  for (const { namespace } of pods) await namespace.remove();
  await lab.remove();
});

const directRoute = () => `${near.subnet} via ${near.ip} dev eth0`;

const DRIFT: Readonly<Record<string, () => string>> = {
  'a deleted direct route': () => `ip route del ${near.subnet} via ${near.ip}`,
  'a direct route that leads through the overlay': () =>
    `ip route replace ${near.subnet} via ${near.subnet.replace('/24', '')} dev flannel.1 onlink`,
  'a deleted route of the overlay': () => `ip route del ${far.subnet}`,
  'a flushed overlay': () =>
    'ip route flush dev flannel.1; ip neigh flush dev flannel.1 nud permanent; bridge fdb flush dev flannel.1',
  'a deleted device': () => 'ip link del flannel.1',
  'a direct route to nobody': () => `ip route add 10.244.251.0/24 via ${near.ip}`,
};

describe('the agent with DirectRouting', () => {
  it('routes to a peer on the same link by its public IP, and to others through the overlay', async () => {
    const routes = await node.lines('ip route show');
    const viaOverlay = far.subnet.replace('/24', '');
    expect(routes).toContain(directRoute());
    expect(routes).toContain(`${far.subnet} via ${viaOverlay} dev flannel.1 onlink`);
    expect(await node.lines('ip neigh show dev flannel.1 nud permanent')).toEqual([
      expect.stringContaining(`${viaOverlay} lladdr `),
    ]);
    expect((await node.lines('bridge fdb show dev flannel.1')).filter((line) => line.includes(' dst '))).toEqual([
      expect.stringContaining(`dst ${far.ip} `),
    ]);
  });

  for (const [what, command] of Object.entries(DRIFT)) {
    it(`repairs ${what} within a second`, { timeout: 180_000 }, async () => {
      const foreign = await foreignOf(node);
      await expectRepair(`${what} (DirectRouting)`, { act: () => sh(node, command()), look: () => kernelOf(node) });
      expect(await foreignOf(node)).toEqual(foreign);
      await podsReach(pods, 30_000);
    });
  }

  const LOOK_ALIKES: Readonly<Record<string, () => string>> = {
    'of another protocol': () => `${near.subnet} via ${near.ip} dev eth0 proto static`,
    'by another gateway': () => `${near.subnet} via 192.168.9.3 dev eth0`,
  };
  for (const [which, route] of Object.entries(LOOK_ALIKES)) {
    it(`leaves a direct route ${which} alone, and says so`, { timeout: 180_000 }, async () => {
      const kernel = await kernelOf(node);
      await sh(node, `ip route replace ${route()}`);
      const told = /somebody else's route is in the way of peer/;
      await eventually(async () => expect(await readyz()).toMatch(told), 20_000);
      expect(await node.lines('ip route show')).toContain(route());
      await sh(node, `ip route del ${route()}`);
      await eventually(async () => expect(await kernelOf(node)).toEqual(kernel), 20_000);
      await eventually(async () => expect(await readyz()).toBe('ready'), 20_000);
    });
  }

  it('routes through the overlay when the peer moves behind a router, and by its public IP when it is back', {
    timeout: 180_000,
  }, async () => {
    const kernel = await kernelOf(node);
    await sh(node, `ip route add ${near.ip}/32 via 192.168.9.3`);
    const overlay = `${near.subnet} via ${near.subnet.replace('/24', '')} dev flannel.1 onlink`;
    await eventually(async () => expect(await node.lines('ip route show')).toContain(overlay), 20_000);
    await sh(node, `ip route del ${near.ip}/32`);
    await eventually(async () => expect(await kernelOf(node)).toEqual(kernel), 20_000);
  });

  it('follows a direct peer whose address changes', { timeout: 180_000 }, async () => {
    const [, second] = lab.nodes;
    if (second === undefined) throw new Error('there is no second node');
    const moved = directRoute().replace('192.168.9.2', '192.168.9.42');
    const kernel = await kernelOf(node);
    await sh(
      second,
      'ip addr add 192.168.9.42/24 dev eth0; ip addr del 192.168.9.2/24 dev eth0; ip addr replace 192.168.9.42/24 dev eth0',
    );
    await sh(second, 'ip route replace 192.168.10.0/24 via 192.168.9.3; ip route replace default via 192.168.9.254');
    const expected = kernel.map((line) => (line === directRoute() ? moved : line)).sort();
    await eventually(async () => expect(await kernelOf(node)).toEqual(expected), 30_000);
    near = { ...near, ip: '192.168.9.42' };
    await podsReach(pods, 30_000);
  });

  it('lets the route to a direct peer go with its lease, and nothing else', { timeout: 180_000 }, async () => {
    const kernel = await kernelOf(node);
    agents[1]?.signal('SIGTERM');
    await agents[1]?.ended;
    await lab.etcdctl(`del /coreos.com/network/subnets/${near.subnet.replace('/', '-')}`);
    const rest = kernel.filter((line) => line !== directRoute());
    await eventually(async () => expect(await kernelOf(node)).toEqual(rest), 20_000);
  });
});

async function readyz(): Promise<string> {
  return (await node.lines('curl -s http://127.0.0.1:8081/readyz')).join('\n');
}
