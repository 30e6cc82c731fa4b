import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { driftOf, type Mesh, makeMesh, optionsOf } from './mesh.ts';

let mesh: Mesh | undefined;
afterEach(async () => {
  await mesh?.remove();
  mesh = undefined;
});

const IPV4 = { Network: '10.244.0.0/16', Backend: { Type: 'vxlan' } };
const DUAL = { ...IPV4, EnableIPv6: true, IPv6Network: 'fc00::/48' };

describe('programOnce on nodes that share a switch', () => {
  it('lets every node reach the overlay address of every other', { timeout: 30_000 }, async () => {
    mesh = await makeMesh(3, IPV4);
    const programmed = await mesh.bringUp();
    for (const [index, node] of mesh.nodes.entries()) {
      expect(await driftOf(node, programmed[index] ?? fail(index))).toEqual([]);
      for (const { overlayIp } of programmed[index]?.desired.peers ?? []) await node.run(`ping -c1 -W2 ${overlayIp}`);
    }
  });

  it('carries IPv6 over its own device, too', { timeout: 30_000 }, async () => {
    mesh = await makeMesh(2, DUAL);
    const [first] = await mesh.bringUp();
    const [peer] = first?.desired.peers ?? [];
    const [node] = mesh.nodes;
    const address = peer?.ipv6Subnet?.replace('/64', '');
    expect(await node?.run(`ping -6 -c1 -W2 ${address}`)).toContain('1 received');
    expect(await node?.run(`ping -c1 -W2 ${peer?.overlayIp}`)).toContain('1 received');
  });

  it('brings up IPv6 alone', { timeout: 30_000 }, async () => {
    mesh = await makeMesh(2, { ...DUAL, EnableIPv4: false });
    const [first] = await mesh.bringUp();
    const [node] = mesh.nodes;
    expect(await node?.run(`ping -6 -c1 -W2 ${first?.desired.peers[0]?.overlayIp}`)).toContain('1 received');
    expect(await node?.host.readFile(join(node.directory, 'subnet.env'))).toMatch(
      /^FLANNEL_IPV6_NETWORK=fc00::\/48\nFLANNEL_IPV6_SUBNET=fc00:0:0:[0-9a-f]+::1\/64\nFLANNEL_MTU=1430\nFLANNEL_IPMASQ=false\n$/,
    );
  });

  it('reaches a peer by a direct route where the switch allows it', { timeout: 30_000 }, async () => {
    mesh = await makeMesh(2, { ...IPV4, Backend: { Type: 'vxlan', DirectRouting: true } });
    const [first] = await mesh.bringUp();
    const [node] = mesh.nodes;
    expect(await node?.run(`ping -c1 -W2 ${first?.desired.peers[0]?.overlayIp}`)).toContain('1 received');
    expect(await node?.run('bridge fdb show dev flannel.1')).not.toContain('192.168.9.2');
  });

  it('writes the subnet file that its lease says', { timeout: 30_000 }, async () => {
    mesh = await makeMesh(1, IPV4);
    const { lease } = await mesh.program(0);
    const [node] = mesh.nodes;
    expect(await node?.host.readFile(join(node.directory, 'subnet.env'))).toBe(
      `FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=${lease.subnet?.replace('.0/24', '.1/24')}\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n`,
    );
  });

  it('keeps subnet and MAC when it is run again', { timeout: 30_000 }, async () => {
    mesh = await makeMesh(1, IPV4);
    const before = await mesh.program(0);
    const { lease, plan } = await mesh.program(0);
    expect([lease.subnet, lease.attributes.vtep]).toEqual([before.lease.subnet, before.lease.attributes.vtep]);
    expect(plan.operations.every(({ verb }) => verb === 'keep')).toBe(true);
  });

  it('refuses to take another subnet when another node holds the one it had', { timeout: 30_000 }, async () => {
    mesh = await makeMesh(2, IPV4);
    const { lease } = await mesh.program(1);
    const [node] = mesh.nodes;
    const subnetFile = optionsOf(node ?? fail(0)).subnetFile;
    await node?.writer.writeFile(subnetFile, `FLANNEL_SUBNET=${lease.subnet?.replace('.0/24', '.1/24')}\n`);
    await expect(mesh.program(0)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/used by this node \(192\.168\.9\.1\).* held by 192\.168\.9\.2$/),
    });
    expect((await mesh.store.listLeases()).records).toHaveLength(1);
  });
});

function fail(index: number): never {
  throw new Error(`node ${index} is missing`);
}
