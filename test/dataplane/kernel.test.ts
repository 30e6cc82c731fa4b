import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/dataplane/apply.ts';
import { renderChanges, renderPlan } from '../../src/dataplane/batch.ts';
import type { DesiredOverlay } from '../../src/dataplane/entry.ts';
import { observeOverlay } from '../../src/dataplane/observe.ts';
import { planOverlay } from '../../src/dataplane/plan.ts';
import { directTest } from '../../src/dataplane/routing.ts';
import { ApplyError } from '../../src/errors.ts';
import { aConfig, aDesired, aLease, anUnderlay, aVxlan, changesOf } from './builders.ts';
import { makeNode, type Namespace } from './namespace.ts';

let node: Namespace;
beforeEach(async () => {
  node = await makeNode();
});
afterEach(() => node.remove());

const dualStack = aConfig({ enableIPv6: true });

async function planFor(desired: DesiredOverlay, removals = true) {
  return planOverlay(desired, await observeOverlay(node.host), { removals });
}

async function apply(desired: DesiredOverlay) {
  return applyPlan({ writer: node.writer, plan: await planFor(desired), reobserve: () => planFor(desired) });
}

async function drift(desired: DesiredOverlay) {
  return renderChanges({ operations: changesOf(await planFor(desired)) });
}

describe('applyPlan on a real kernel', () => {
  it('leaves nothing to do, in both families', async () => {
    const desired = aDesired({ config: dualStack });
    await apply(desired);
    expect(await drift(desired)).toEqual([]);
  });

  it('renders commands that do the same when they are pasted', async () => {
    const desired = aDesired({ config: dualStack });
    for (const line of renderPlan(await planFor(desired))) await node.run(line);
    expect(await drift(desired)).toEqual([]);
  });

  it('brings up any VNI, port, MTU, GBP and learning', async () => {
    const backend = aVxlan({ vni: 4096, port: 4789, outerMtuBytes: 1400, gbp: true, learning: true });
    const desired = aDesired({ config: aConfig({ enableIPv6: true, backend }) });
    await apply(desired);
    expect(await drift(desired)).toEqual([]);
    const { links } = await observeOverlay(node.host);
    expect(
      links.map(({ device, vni, port, mtuBytes, gbp, learning }) => [device, vni, port, mtuBytes, gbp, learning]),
    ).toEqual([
      ['flannel.4096', 4096, 4789, 1350, true, true],
      ['flannel-v6.4096', 4096, 4789, 1350, true, true],
    ]);
  });

  it('wants the MTU that the kernel gives flannel-v6.N', async () => {
    await node.run('ip link add flannel-v6.1 mtu 1450 type vxlan id 1 dev u0 local fd00:9::1 dstport 8472 nolearning');
    const [link] = (await observeOverlay(node.host)).links;
    const wanted = aDesired({ config: dualStack }).entries.map(({ entry }) => entry);
    const v6 = wanted.find(({ kind, device }) => kind === 'link' && device === 'flannel-v6.1');
    expect(v6).toMatchObject({ mtuBytes: link?.mtuBytes });
  });

  it('programs the neighbours again after it had to change the MAC', async () => {
    await apply(aDesired());
    const moved = aLease(1, {}, { vtep: { vni: 1, mac: '02:00:00:00:99:99' } });
    const desired = aDesired({ own: moved });
    await apply(desired);
    expect(await drift(desired)).toEqual([]);
    expect(await node.run('ip -o link show flannel.1')).toContain('link/ether 02:00:00:00:99:99');
    expect(await node.run('ip neigh show dev flannel.1')).toContain('10.244.2.0 lladdr 02:00:00:00:00:02 PERMANENT');
  });

  it('brings back what a link lost by going down', async () => {
    const desired = aDesired();
    await apply(desired);
    await node.run('ip link set flannel.1 down');
    expect((await drift(desired)).length).toBe(5);
    await apply(desired);
    expect(await drift(desired)).toEqual([]);
  });

  it('makes a link anew that cannot be changed, with everything on it', async () => {
    await apply(aDesired());
    const desired = aDesired({ config: aConfig({ backend: aVxlan({ port: 4789 }) }) });
    expect(await drift(desired)).toContain('- ip link del dev flannel.1');
    await apply(desired);
    expect(await drift(desired)).toEqual([]);
  });

  it.each([
    ['MTU', { outerMtuBytes: 1300 }],
    ['learning', { learning: true }],
  ])('changes %s in place', async (_what, vxlan) => {
    await apply(aDesired());
    const before = await node.run('ip -o link show flannel.1');
    const desired = aDesired({ config: aConfig({ backend: aVxlan(vxlan) }) });
    expect(await drift(desired)).not.toEqual([]);
    await apply(desired);
    expect(await drift(desired)).toEqual([]);
    expect((await node.run('ip -o link show flannel.1')).split(':')[0]).toBe(before.split(':')[0]);
  });

  it('removes what belongs to nobody any more, and nothing of others', async () => {
    await apply(aDesired({ config: dualStack }));
    await node.run('ip route add 172.16.0.0/12 dev flannel.1');
    await node.run('ip route add blackhole 10.244.99.0/24');
    await node.run('ip addr add 169.254.7.7/16 dev flannel.1');
    await node.run('ip addr add 10.244.77.0/32 dev flannel.1');
    const desired = aDesired({ config: dualStack, leases: [aLease(1), aLease(3)] });
    await apply(desired);
    expect(await drift(desired)).toEqual([]);
    expect(await node.run('ip route show')).not.toContain('10.244.2.0');
    expect(await node.run('bridge fdb show dev flannel-v6.1')).not.toContain('02:00:00:00:00:02');
    expect(await node.run('ip route show 10.244.99.0/24')).toContain('blackhole');
    expect(await node.run('ip route show 172.16.0.0/12')).toContain('flannel.1');
    const addresses = await node.run('ip addr show flannel.1');
    expect(addresses).toContain('169.254.7.7/16');
    expect(addresses).not.toContain('10.244.77.0');
  });

  it('leaves a foreign route to a peer where it is and says so', async () => {
    await node.run('ip route add 10.244.2.0/24 via 192.168.9.77');
    const desired = aDesired();
    await apply(desired);
    expect(await drift(desired)).toEqual(['! ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink']);
    expect(await node.run('ip route show 10.244.2.0/24')).toContain('via 192.168.9.77 dev u0');
  });

  it('leaves a foreign IPv6 route of the same metric where it is', async () => {
    await node.run('ip -6 route add fc00:0:0:2::/64 via fd00:9::77');
    await apply(aDesired({ config: dualStack }));
    expect(await node.run('ip -6 route show fc00:0:0:2::/64')).toMatch(/^fc00:0:0:2::\/64 via fd00:9::77 dev u0.*\n$/);
  });

  it('routes a peer on the same link directly, with neither neighbour nor forwarding entry', async () => {
    const config = aConfig({ enableIPv6: true, backend: aVxlan({ directRouting: true }) });
    const isDirect = directTest((await observeOverlay(node.host)).routes);
    const far = aLease(3, {}, { publicIp: '172.20.0.3', publicIpv6: 'fd99::3' });
    const desired = aDesired({ config, isDirect, leases: [aLease(1), aLease(2), far] });
    await node.run('ip route add default via 192.168.9.254');
    await apply(desired);
    expect(await drift(desired)).toEqual([]);
    expect(await node.run('ip route show 10.244.2.0/24')).toContain('via 192.168.9.2 dev u0');
    expect(await node.run('bridge fdb show dev flannel.1')).not.toContain('192.168.9.2');
    expect(await node.run('ip -6 route show fc00:0:0:2::/64')).toContain('via fd00:9::2 dev u0');
  });

  it('moves a peer between direct route and overlay', async () => {
    const direct = { config: aConfig({ backend: aVxlan({ directRouting: true }) }), isDirect: () => true };
    await apply(aDesired(direct));
    await apply(aDesired());
    expect(await drift(aDesired())).toEqual([]);
    await apply(aDesired(direct));
    expect(await drift(aDesired(direct))).toEqual([]);
  });

  it('corrects a wrong VTEP, a wrong MAC and a wrong gateway', async () => {
    const desired = aDesired();
    await apply(desired);
    await node.run('bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 192.168.9.66 self permanent');
    await node.run('ip neigh replace 10.244.2.0 lladdr 02:00:00:00:66:66 nud reachable dev flannel.1');
    await node.run('ip route replace 10.244.2.0/24 via 10.244.3.0 dev flannel.1 onlink');
    expect((await drift(desired)).length).toBe(6);
    await apply(desired);
    expect(await drift(desired)).toEqual([]);
  });

  it('names the line the kernel refused and carries out all others', async () => {
    await node.run('ip link add other type vxlan id 1 dev u0 dstport 8472');
    const failure = await apply(aDesired({ config: dualStack })).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApplyError);
    expect(failure).toMatchObject({ message: expect.stringMatching(/^ip link add dev flannel\.1 .*: .*VXLAN device/) });
  });

  it('finds the bad neighbour in a batch that ended without a line number', async () => {
    await apply(aDesired({ leases: [] }));
    const leases = Array.from({ length: 40 }, (_, index) => aLease(index + 2));
    const desired = aDesired({ leases });
    const plan = await planFor(desired);
    const spoiled = plan.operations.map((operation) =>
      operation.entry.kind === 'neighbour' && operation.entry.ip === '10.244.9.0'
        ? { ...operation, entry: { ...operation.entry, ip: '224.0.0.9' } }
        : operation,
    );
    const reobserve = async () => {
      const again = await planFor(desired);
      const bad = spoiled.filter(({ entry }) => entry.kind === 'neighbour' && entry.ip === '224.0.0.9');
      const others = again.operations.filter(({ entry }) => entry.kind !== 'neighbour' || entry.ip !== '10.244.9.0');
      return { operations: [...others, ...bad] };
    };
    const failure = await applyPlan({ writer: node.writer, plan: { operations: spoiled }, reobserve }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      failures: [{ operation: 'ip neigh replace 224.0.0.9 lladdr 02:00:00:00:00:09 nud permanent dev flannel.1' }],
    });
  });

  it('does not program a device of another kind that has the name of ours', async () => {
    await node.run('ip link add flannel.1 type bridge');
    const plan = await planFor(aDesired({ underlay: anUnderlay() }));
    expect(plan.operations.map(({ verb, entry }) => [verb, entry.kind])).toEqual([['foreign', 'link']]);
  });

  it('reads a namespace without routes, devices and peers as empty', async () => {
    const { links, neighbours, fdb } = await observeOverlay(node.host);
    expect([links, neighbours, fdb]).toEqual([[], [], []]);
  });
});
