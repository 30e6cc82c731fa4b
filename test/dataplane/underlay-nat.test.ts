import { afterEach, beforeEach, expect, it } from 'vitest';
import { applyPlan } from '../../src/dataplane/apply.ts';
import { observeOverlay } from '../../src/dataplane/observe.ts';
import { planOverlay } from '../../src/dataplane/plan.ts';
import { aDesired, anUnderlay } from './builders.ts';
import { makeNode, type Namespace } from './namespace.ts';

let node: Namespace;
beforeEach(async () => {
  node = await makeNode();
});
afterEach(() => node.remove());

/** Packets that flannel.1 could not send, after one was given to it. */
async function lostWith(tunnelIpv4: string): Promise<number> {
  const desired = aDesired({ underlay: anUnderlay({ publicIp: '203.0.113.7', tunnelIpv4 }) });
  const plan = async () => planOverlay(desired, await observeOverlay(node.host), { removals: true });
  await applyPlan({ writer: node.writer, plan: await plan(), reobserve: plan });
  await node.run('ip neigh replace 192.168.9.2 lladdr 02:00:00:00:aa:02 dev u0');
  await node.host.exec(['ping', '-c', '1', '-W', '1', '10.244.2.0']);
  const [link] = JSON.parse(await node.run('ip -j -s link show flannel.1'));
  return link.stats64.tx.errors + link.stats64.tx.carrier_errors;
}

it('loses what it sends from an address that is behind NAT', async () => {
  expect(await lostWith('203.0.113.7')).toBeGreaterThan(0);
});

it('sends from the address of the interface when the advertised one is behind NAT', async () => {
  expect(await lostWith('192.168.9.1')).toBe(0);
});
