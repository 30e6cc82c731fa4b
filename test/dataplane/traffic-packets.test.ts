import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureTrafficRules, removeTrafficRules } from '../../src/dataplane/masquerade.ts';
import { seenBy, serve } from '../support/seen-by.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { aTraffic, NFTABLES } from './traffic-builders.ts';

/** A node with a pod, and beside it a host that is both the world outside and the pod of another node. */
let node: Namespace;
let pod: Namespace;
let outside: Namespace;
const servers: ChildProcess[] = [];

beforeAll(async () => {
  [node, pod, outside] = await Promise.all([makeNamespace(), makeNamespace(), makeNamespace()]);
  await connect(pod, { device: 'p0', peer: 'c0', address: '10.244.1.2/24', gateway: '10.244.1.1' });
  await connect(outside, { device: 'o0', peer: 'u0', address: '192.168.9.2/24', gateway: '192.168.9.1' });
  await outside.run('ip addr add 10.244.2.2/32 dev lo');
  await node.run('ip route add 10.244.2.0/24 via 192.168.9.2');
  await node.run('ip addr add 172.30.0.1/32 dev lo');
  await node.run('sysctl -qw net.ipv4.ip_forward=1');
  servers.push(await serve(outside), await serve(pod));
});
afterAll(async () => {
  for (const server of servers) server.kill('SIGKILL');
  await Promise.all([node, pod, outside].map((namespace) => namespace.remove()));
});

interface Cable {
  readonly device: string;
  readonly peer: string;
  readonly address: string;
  readonly gateway: string;
}

async function connect(end: Namespace, { device, peer, address, gateway }: Cable): Promise<void> {
  await node.run(`ip link add ${peer} type veth peer name ${device} netns ${end.name}`);
  await node.run(`ip addr add ${gateway}/24 dev ${peer}`);
  await node.run(`ip link set ${peer} up`);
  await end.run(`ip addr add ${address} dev ${device}`);
  await end.run(`ip link set ${device} up`);
  await end.run(`ip route add default via ${gateway}`);
}

const REMOTE_POD = '10.244.2.2';
const POD = '10.244.1.2';
const WORLD = '192.168.9.2';

describe.each([
  { mode: 'iptables', iptables: 'nft', values: {} },
  { mode: 'iptables', iptables: 'legacy', values: {} },
  { mode: 'nftables', iptables: 'nft', values: NFTABLES },
])('packets under the rules of $mode ($iptables)', ({ iptables, values }) => {
  beforeEach(async () => {
    await removeTrafficRules(node);
    for (const variant of ['nft', 'legacy']) {
      await node.run(`iptables-${variant} -t mangle -F`);
      await node.run(`iptables-${variant} -t mangle -X`);
    }
    await node.run(`iptables-${iptables} -t mangle -N KUBE-KUBELET-CANARY`);
  });
  const ensure = () => ensureTrafficRules({ ...node, rules: aTraffic(values) });

  it('of a pod leave the network with the address of the node', async () => {
    expect(await seenBy(WORLD, pod)).toBe(POD);
    await ensure();
    expect(await seenBy(WORLD, pod)).toBe('192.168.9.1');
  });

  it('between pods keep their addresses, both ways', async () => {
    await ensure();
    expect(await seenBy(REMOTE_POD, pod)).toBe(POD);
    expect(await seenBy(POD, outside, REMOTE_POD)).toBe(REMOTE_POD);
  });

  it('from outside to a pod of this node keep their address', async () => {
    await ensure();
    expect(await seenBy(POD, outside)).toBe(WORLD);
  });

  it('of the network are forwarded although the policy drops', async () => {
    await ensure();
    await node.run(`iptables-${iptables} -P FORWARD DROP`);
    const reached = await seenBy(REMOTE_POD, pod);
    await node.run(`iptables-${iptables} -P FORWARD ACCEPT`);
    // An accept in a table of its own does not overrule the policy of another: so it is in flannel's nftables mode too.
    expect(reached).toBe(values === NFTABLES ? 'timeout' : POD);
  });
});

describe('packets of the node itself', () => {
  it('reach pods of other nodes under the address of the way there', async () => {
    await removeTrafficRules(node);
    await outside.run('ip route add 172.30.0.1 via 192.168.9.1');
    expect(await seenBy(REMOTE_POD, node, '172.30.0.1')).toBe('172.30.0.1');
    await ensureTrafficRules({ ...node, rules: aTraffic() });
    expect(await seenBy(REMOTE_POD, node, '172.30.0.1')).toBe('192.168.9.1');
  });
});
