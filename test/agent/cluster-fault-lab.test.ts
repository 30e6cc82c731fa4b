import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allUp, type EtcdNode, type FaultLab, leaseValue, makeFaultLab, PREFIX, whole } from './fault-lab.ts';
import { type Agent, eventually } from './lab.ts';
import { startTraffic, type Traffic } from './pings.ts';
import { plantForeign, type Scene, sceneOf } from './scene.ts';

let lab: FaultLab;
let agents: readonly [Agent, Agent, Agent];
let before: Scene;
let traffic: Traffic;
beforeEach(async () => {
  lab = await makeFaultLab(3);
  await plantForeign(lab);
  agents = await allUp(lab);
  before = await sceneOf(lab);
  traffic = await startTraffic(lab);
}, 180_000);
afterEach(() => lab.remove());

/** A lease of nobody comes and goes: everybody who follows the leases programs it and lets it go. */
async function everybodyFollows(): Promise<void> {
  const key = `${PREFIX}/subnets/10.244.199.0-24`;
  const routes = () => Promise.all(lab.nodes.map((node) => node.lines('ip route show 10.244.199.0/24')));
  await eventually(() => lab.putRaw(key, leaseValue('192.168.9.199', '02:00:00:00:01:99')), 20_000);
  await eventually(async () => expect((await routes()).map(({ length }) => length)).toEqual([1, 1, 1]), 30_000);
  await eventually(() => lab.ctl(`del ${key}`), 20_000);
  await eventually(async () => expect((await routes()).flat()).toEqual([]), 30_000);
}

async function allInOrder(): Promise<void> {
  await whole(lab);
  expect(await traffic.missing()).toEqual([]);
  expect(await sceneOf(lab)).toEqual(before);
  expect(agents.map((agent) => /could not be cared for/.test(agent.log()))).toEqual([false, false, false]);
}

/** Until another member leads. */
async function newLeaderThan(old: EtcdNode): Promise<void> {
  await eventually(async () => expect((await lab.leader()).endpoint).not.toBe(old.endpoint), 30_000);
}

describe('an agent with a cluster of three', { timeout: 240_000 }, () => {
  it('loses no packet and no lease while the leader is killed, and follows the next one', async () => {
    const leader = await lab.leader();
    await leader.kill();
    await everybodyFollows();
    await leader.start();
    await newLeaderThan(leader);
    await allInOrder();
  });

  it('follows on while the leader is cut off from the others but still takes its calls', async () => {
    const leader = await lab.leader();
    await leader.isolate();
    await everybodyFollows();
    await leader.rejoin();
    await everybodyFollows();
    await allInOrder();
  });

  it('loses no packet while a leader that was stopped sleeps on', async () => {
    const leader = await lab.leader();
    leader.signal('SIGSTOP');
    await everybodyFollows();
    leader.signal('SIGCONT');
    await everybodyFollows();
    await allInOrder();
  });

  it('keeps the data path while no quorum is left, and follows when it is back', async () => {
    const [first, second] = lab.members;
    await Promise.all([first?.kill(), second?.kill()]);
    await eventually(
      async () => expect(agents.map((agent) => agent.log().includes('cannot be followed'))).toEqual([true, true, true]),
      30_000,
    );
    await Promise.all([first?.start(), second?.start()]);
    await everybodyFollows();
    await allInOrder();
  });
});
