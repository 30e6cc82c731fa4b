import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Lab, type LabNode, makeLab, overlayOf, subnetOf } from './lab.ts';
import { expectRepair } from './repair.ts';

let lab: Lab;
let node: LabNode;
let peerSubnet: string;
let peerMac: string;

beforeAll(async () => {
  lab = await makeLab(2);
  const [first, second] = lab.nodes;
  if (first === undefined || second === undefined) throw new Error('there are no nodes');
  node = first;
  await first.up();
  await second.up();
  peerSubnet = await subnetOf(second);
  await eventually(
    async () => expect(await first.lines('ip route show')).toContainEqual(expect.stringContaining(peerSubnet)),
    5000,
  );
  peerMac = (await second.lines('cat /sys/class/net/flannel.1/address'))[0] ?? '';
});
afterAll(() => lab.remove());

const overlayIp = () => peerSubnet.replace('/24', '');

const DRIFT: Readonly<Record<string, () => string>> = {
  'a deleted route': () => `ip route del ${peerSubnet}`,
  'a route that leads elsewhere': () => `ip route replace ${peerSubnet} via 10.244.250.0 dev flannel.1 onlink`,
  'a deleted neighbour': () => `ip neigh del ${overlayIp()} dev flannel.1`,
  'a neighbour with another MAC': () =>
    `ip neigh replace ${overlayIp()} lladdr 02:02:02:02:02:02 dev flannel.1 nud permanent`,
  'a deleted forwarding entry': () => `bridge fdb del ${peerMac} dev flannel.1`,
  'a forwarding entry to another host': () =>
    `bridge fdb replace ${peerMac} dev flannel.1 dst 192.168.9.77 self permanent`,
  'a flushed address': () => 'ip addr flush dev flannel.1',
  'another MAC of the device': () => 'ip link set flannel.1 address 02:00:00:00:00:99',
  'another MTU': () => 'ip link set flannel.1 mtu 1400',
  'a link that is down': () => 'ip link set flannel.1 down',
  'a deleted link': () => 'ip link del flannel.1',
  'flushed routes': () => 'ip route flush dev flannel.1',
  'an entry that serves nobody': () =>
    'ip neigh replace 10.244.251.0 lladdr 02:02:02:02:02:03 dev flannel.1 nud permanent',
};

describe('the running agent', () => {
  for (const [what, command] of Object.entries(DRIFT)) {
    it(`repairs ${what} within a second`, { timeout: 120_000 }, async () => {
      await expectRepair(what, { act: () => node.namespace.run(command()), look: () => overlayOf(node) });
      await node.namespace.run(`ping -c1 -W2 ${overlayIp()}`);
    });
  }

  it("leaves somebody else's route to the same subnet alone", async () => {
    await node.namespace.run(`ip route del ${peerSubnet}`);
    await node.namespace.run(`ip route replace ${peerSubnet} via 192.168.9.254 dev eth0 proto static`);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await node.lines('ip route show')).toContain(`${peerSubnet} via 192.168.9.254 dev eth0 proto static`);
    await node.namespace.run(`ip route del ${peerSubnet}`);
    await eventually(
      async () => expect((await node.lines('ip route show')).join('\n')).toContain('dev flannel.1'),
      2000,
    );
  });
});
