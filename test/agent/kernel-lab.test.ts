import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foreignOf, plantForeign, sh } from './foreign-objects.ts';
import { type Agent, eventually, type Lab, type LabNode, makeLab, overlayOf, subnetOf } from './lab.ts';
import { expectRepair, kernelOf, tellRepairs } from './repair.ts';
import { addPod, type Losses, type Pod, podsReach, startPing } from './traffic.ts';

let lab: Lab;
let node: LabNode;
let agent: Agent;
let pods: readonly Pod[] = [];
let peers: readonly { readonly subnet: string; readonly ip: string; readonly mac: string }[];

beforeAll(async () => {
  lab = await makeLab(4);
  const agents: Agent[] = [];
  for (const each of lab.nodes) agents.push(await each.up({ flags: ['--ip-masq', '--healthz-port', '8081'] }));
  for (const each of lab.nodes) pods = [...pods, await addPod(each)];
  await podsReach(pods);
  const [first, ...others] = lab.nodes;
  const [own] = agents;
  if (first === undefined || own === undefined) throw new Error('there are no nodes');
  [node, agent] = [first, own];
  peers = await Promise.all(
    others.map(async (other) => {
      const [subnet, [mac = '']] = [await subnetOf(other), await other.lines('cat /sys/class/net/flannel.1/address')];
      return { subnet, ip: subnet.replace('/24', ''), mac };
    }),
  );
  await plantForeign(node, peer().subnet);
}, 240_000);
afterAll(async () => {
  tellRepairs();
  for (const { namespace } of pods) await namespace.remove();
  await lab.remove();
});

function peer() {
  const [found] = peers;
  if (found === undefined) throw new Error('there is no peer');
  return found;
}

function pod(index: number): Pod {
  const found = pods[index];
  if (found === undefined) throw new Error(`there is no pod ${index}`);
  return found;
}

const toAll = (command: (one: ReturnType<typeof peer>) => string) => () => peers.map(command).join('\n');
const WRONG_MAC = '02:02:02:02:02:02';
const NEW_DEVICE = 'link add flannel.1 type vxlan id 1 dev eth0 local 192.168.9.1 dstport';
/** In one process, before the agent has its own back. */
const atOnce = (...lines: readonly string[]) => `ip -batch - <<END\n${lines.join('\n')}\nEND`;

const DRIFT: Readonly<Record<string, () => string>> = {
  'flushed routes': () => 'ip route flush dev flannel.1',
  'routes to nowhere': toAll(({ subnet }) => `ip route replace ${subnet} via 10.244.250.0 dev flannel.1 onlink`),
  'flushed neighbours': () => 'ip neigh flush dev flannel.1 nud permanent',
  'neighbours with another MAC': toAll(
    ({ ip }) => `ip neigh replace ${ip} lladdr ${WRONG_MAC} dev flannel.1 nud permanent`,
  ),
  'flushed forwarding entries': () => 'bridge fdb flush dev flannel.1',
  'forwarding entries to another host': toAll(
    ({ mac }) => `bridge fdb replace ${mac} dev flannel.1 dst 192.168.9.77 self permanent`,
  ),
  'flushed addresses': () => 'ip addr flush dev flannel.1',
  'a link that is down': () => 'ip link set flannel.1 down',
  'a deleted link': () => 'ip link del flannel.1',
  'another MAC of the device': () => `ip link set flannel.1 address ${WRONG_MAC}`,
  'a device made anew with another port': () =>
    atOnce('link del flannel.1', `${NEW_DEVICE} 4789`, 'link set flannel.1 up'),
  'a device made anew, learning and empty': () => atOnce('link del flannel.1', `${NEW_DEVICE} 8472`),
  'everything at once': () =>
    'ip route flush dev flannel.1\nip neigh flush dev flannel.1 nud permanent\nbridge fdb flush dev flannel.1\nip addr flush dev flannel.1',
};

/** No packet has to be lost by these. */
const HARMLESS_DRIFT: Readonly<Record<string, () => string>> = {
  'a smaller MTU': () => 'ip link set flannel.1 mtu 1400',
  'a device that learns': () => 'ip link set flannel.1 type vxlan learning',
  'a second address in the network': () => 'ip addr add 10.244.252.0/32 dev flannel.1',
  'entries that serve nobody': () =>
    `ip neigh replace 10.244.251.0 lladdr ${WRONG_MAC} dev flannel.1 nud permanent
bridge fdb replace ${WRONG_MAC} dev flannel.1 dst 192.168.9.77 self permanent
ip route replace 10.244.251.0/24 via 10.244.251.0 dev flannel.1 onlink`,
};

const lossesOf = new Map<string, readonly Losses[]>();
afterAll(() => {
  if (process.env['FLANNELCTL_REPEAT'] === undefined) return;
  for (const [what, losses] of lossesOf)
    console.log(
      `${what}: ${losses.map(({ sent, lost, silentMs }) => `${lost} of ${sent}, ${silentMs} ms`).join('; ')}`,
    );
});

/** The drift under traffic of the node's pod to all others, and of two other pods with each other, whom it must not concern. */
async function driftUnderTraffic(what: string, command: string) {
  const others = lab.nodes.slice(1);
  const before = [await foreignOf(node), await Promise.all(others.map(overlayOf))];
  const own = await Promise.all([1, 2, 3].map((to) => startPing({ from: pod(0), to: pod(to) })));
  const bystander = await startPing({ from: pod(1), to: pod(2) });
  await expectRepair(what, { act: () => sh(node, command), look: () => kernelOf(node) });
  const losses = await Promise.all(own.map((ping) => ping.stop()));
  const { lost: lostByOthers } = await bystander.stop();
  lossesOf.set(what, losses);
  expect([await foreignOf(node), await Promise.all(others.map(overlayOf))]).toEqual(before);
  return { losses, lostByOthers };
}

describe('the agent, while pods talk', () => {
  for (const [what, command] of Object.entries(DRIFT)) {
    it(`repairs ${what} within a second and touches nothing else`, { timeout: 180_000 }, async () => {
      const { losses, lostByOthers } = await driftUnderTraffic(what, command());
      expect(lostByOthers).toBe(0);
      expect(losses.every(({ sent, lost }) => lost < sent)).toBe(true);
      await podsReach(pods, 20_000);
    });
  }

  for (const [what, command] of Object.entries(HARMLESS_DRIFT)) {
    it(`repairs ${what} within a second without the loss of a packet`, { timeout: 180_000 }, async () => {
      const { losses, lostByOthers } = await driftUnderTraffic(what, command());
      expect([...losses.map(({ lost }) => lost), lostByOthers]).toEqual([0, 0, 0, 0]);
    });
  }

  it('changes nothing of the other peers while it repairs one', { timeout: 120_000 }, async () => {
    const argv = ['netns', 'exec', node.namespace.name, 'ip', '-o', 'monitor', 'link', 'address', 'route', 'neigh'];
    const monitor = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'ignore'] });
    let seen = '';
    monitor.stdout.on('data', (chunk) => {
      seen += String(chunk);
    });
    const { subnet, ip, mac } = peer();
    await expectRepair('all entries of one peer', {
      act: () =>
        sh(
          node,
          `ip route del ${subnet} dev flannel.1; ip neigh del ${ip} dev flannel.1; bridge fdb del ${mac} dev flannel.1`,
        ),
      look: () => kernelOf(node),
    });
    monitor.kill('SIGKILL');
    const changed = seen
      .split('\n')
      .filter((line) => / flannel\.1 /.test(line) && !/ (STALE|REACHABLE|DELAY|PROBE)/.test(line));
    expect(changed.length).toBeGreaterThan(4);
    expect(changed.filter((line) => ![subnet, ip, mac].some((own) => line.includes(own)))).toEqual([]);
  });

  it("leaves somebody else's device with our name alone, says so, and is back when it is gone", {
    timeout: 120_000,
  }, async () => {
    const [kernel, foreign] = [await kernelOf(node), await foreignOf(node)];
    await sh(node, atOnce('link del flannel.1', 'link add flannel.1 type bridge'));
    await eventually(async () => expect(await readyz()).toContain('flannel.1 is a bridge, not vxlan'), 20_000);
    expect(await sh(node, 'ip -d -o link show flannel.1')).toContain(' bridge ');
    await sh(node, 'ip link del flannel.1');
    await eventually(async () => expect(await kernelOf(node)).toEqual(kernel), 20_000);
    expect(await foreignOf(node)).toEqual(foreign);
    await eventually(async () => expect(await readyz()).toBe('ready'), 20_000);
  });
});

describe("somebody else's route in the place of a peer's", () => {
  const FOREIGN: Readonly<Record<string, () => string>> = {
    'through another device': () => `${peer().subnet} via 198.51.100.2 dev theirs0 proto static`,
    'into a bridge': () => `${peer().subnet} dev cni0 scope link`,
    'that drops': () => `blackhole ${peer().subnet}`,
  };
  for (const [which, route] of Object.entries(FOREIGN)) {
    it(`${which} is kept, told, and followed by ours within a second`, { timeout: 180_000 }, async () => {
      const { subnet } = peer();
      const kernel = await kernelOf(node);
      await sh(node, `ip route replace ${route()}`);
      await eventually(
        async () => expect(await readyz()).toContain(`somebody else's route is in the way of peer ${subnet}: `),
        20_000,
      );
      const { exitCode, stdout } = await node.cli('status');
      expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/foreign route: .* \(in its place: /)]);
      expect(await node.lines('ip route show')).toContain(route());
      await sh(node, `ip route del ${route()}`);
      await eventually(async () => expect(await kernelOf(node)).toEqual(kernel), 20_000);
      await expectRepair(`a foreign route ${which} that goes away`, {
        act: async () => {
          await sh(node, `ip route replace ${route()}`);
          await eventually(async () => expect(await readyz()).toContain(subnet), 20_000);
          await sh(node, `ip route del ${route()}`);
        },
        look: () => kernelOf(node),
      });
      await eventually(async () => expect(await readyz()).toBe('ready'), 20_000);
      expect(agent.log()).toContain("somebody else's route");
    });
  }
});

async function readyz(): Promise<string> {
  return (await node.lines('curl -s http://127.0.0.1:8081/readyz')).join('\n');
}
