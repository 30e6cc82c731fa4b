import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foreignOf, plantForeign, sh } from './foreign-objects.ts';
import { type Agent, eventually, type Lab, type LabNode, makeLab, subnetOf } from './lab.ts';
import { expectRepair, kernelOf, tellRepairs } from './repair.ts';
import { addPod, type Pod, podsReach } from './traffic.ts';

/** Three nodes; the first one has a second switch, eth1 192.168.7.1, beside its underlay. */
let lab: Lab;
let node: LabNode;
let agent: Agent;
let peerSubnet: string;
const pods: Pod[] = [];

beforeAll(async () => {
  lab = await makeLab(3);
  const agents: Agent[] = [];
  for (const each of lab.nodes) agents.push(await each.up({ flags: ['--ip-masq', '--healthz-port', '8081'] }));
  for (const each of lab.nodes) pods.push(await addPod(each));
  await podsReach(pods, 30_000);
  const [first, second] = lab.nodes;
  const [own] = agents;
  if (first === undefined || second === undefined || own === undefined) throw new Error('there are no nodes');
  [node, agent, peerSubnet] = [first, own, await subnetOf(second)];
  await plantForeign(node, peerSubnet);
  await lab.hub.run(`ip link add q1 type veth peer name eth1 netns ${node.namespace.name}`);
  await lab.hub.run('ip addr add 192.168.7.254/24 dev q1');
  await lab.hub.run('ip link set q1 up');
  await sh(node, 'ip addr add 192.168.7.1/24 dev eth1; ip link set eth1 up');
}, 240_000);
afterAll(async () => {
  tellRepairs();
  for (const { namespace } of pods) await namespace.remove();
  await lab.remove();
});

const readyz = async () => (await node.lines('curl -s http://127.0.0.1:8081/readyz')).join('\n');
const says = (text: RegExp | string) => eventually(async () => expect(await readyz()).toMatch(text), 20_000);
const isReady = () => eventually(async () => expect(await readyz()).toBe('ready'), 20_000);
const DEFAULT = 'ip route add default via 192.168.9.254';
const ADDRESS = 'ip addr add 192.168.9.1/24 dev eth0';

/** What is gone while the underlay is, and back with it, must be as it was within the promise; the pods reach each other then. */
async function expectBack(what: string, gone: () => Promise<unknown>, back: () => Promise<unknown>): Promise<void> {
  const foreign = await foreignOf(node);
  const act = async () => {
    await gone();
    await back();
  };
  await expectRepair(what, { act, look: () => kernelOf(node) });
  await podsReach(pods, 30_000);
  expect(await foreignOf(node)).toEqual(foreign);
  await isReady();
}

describe('the agent, when the underlay', () => {
  it('goes down and comes up, has the overlay back', { timeout: 180_000 }, () =>
    expectBack(
      'the underlay up again',
      async () => {
        await sh(node, 'ip link set eth0 down');
        await says('the main table has no default route; eth0 is kept');
      },
      () => sh(node, `ip link set eth0 up; ${DEFAULT}`),
    ),
  );

  it('is deleted and made anew, has the overlay back', { timeout: 180_000 }, () =>
    expectBack(
      'the underlay made anew',
      async () => {
        await sh(node, 'ip link del eth0');
        await says('the main table has no default route');
      },
      async () => {
        await lab.hub.run(`ip link add p1 type veth peer name eth0 netns ${node.namespace.name}`);
        await lab.hub.run('ip link set p1 master br0 up');
        await sh(node, `${ADDRESS}; ip link set eth0 up; ${DEFAULT}`);
      },
    ),
  );

  it('loses its address and gets it back, has the overlay back', { timeout: 180_000 }, () =>
    expectBack(
      'the address of the underlay back',
      async () => {
        await sh(node, 'ip addr del 192.168.9.1/24 dev eth0');
        await says('the main table has no default route');
      },
      () => sh(node, `${ADDRESS}; ${DEFAULT}`),
    ),
  );

  it('gets a smaller MTU and its own again, follows with device and subnet.env', { timeout: 180_000 }, () =>
    expectBack(
      'the MTU of the underlay back',
      async () => {
        await sh(node, 'ip link set eth0 mtu 1400');
        await eventually(async () => {
          expect((await node.lines('cat /sys/class/net/flannel.1/mtu'))[0]).toBe('1350');
          expect(await node.lines(`cat ${node.subnetFile}`)).toContain('FLANNEL_MTU=1350');
        }, 20_000);
      },
      () => sh(node, 'ip link set eth0 mtu 1500'),
    ),
  );

  it('has no default route, looks after the overlay all the same, and says so', { timeout: 180_000 }, async () => {
    await sh(node, 'ip route del default');
    await says('the main table has no default route; eth0 is kept');
    await expectRepair('routes, without a default route', {
      act: () => sh(node, 'ip route flush dev flannel.1'),
      look: () => kernelOf(node),
    });
    await expectRepair('the link, without a default route', {
      act: () => sh(node, 'ip link del flannel.1'),
      look: () => kernelOf(node),
    });
    await podsReach(pods);
    await sh(node, DEFAULT);
    await isReady();
  });

  it('is another one by a new default route, moves to it, and peers follow', { timeout: 180_000 }, async () => {
    const kernel = await kernelOf(node);
    const foreign = await foreignOf(node);
    const [, second] = lab.nodes;
    const tunnel = (address: string, device: string) =>
      eventually(async () => {
        const link = (await node.lines('ip -d -o link show flannel.1')).join('');
        expect(link).toContain(`local ${address} dev ${device} `);
        expect((await second?.lines('bridge fdb show dev flannel.1'))?.join('\n')).toContain(`dst ${address} `);
      }, 30_000);
    await sh(node, 'ip route replace default via 192.168.7.254 dev eth1');
    await tunnel('192.168.7.1', 'eth1');
    await sh(node, 'ip route replace default via 192.168.9.254 dev eth0');
    await tunnel('192.168.9.1', 'eth0');
    await podsReach(pods, 30_000);
    expect(await kernelOf(node)).toEqual(kernel);
    expect(await foreignOf(node)).toEqual(foreign);
    expect(agent.log()).toContain('lease renewed');
  });
});
