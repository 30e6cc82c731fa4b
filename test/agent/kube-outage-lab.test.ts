import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flannelAnnotations } from '../support/kube-objects.ts';
import { IS_REAL, type KubeLab, makeKubeLab } from './kube-lab.ts';
import { type Agent, eventually, overlayOf } from './lab.ts';

const PATIENCE = { timeout: 180_000 };

let lab: KubeLab;
let agent: Agent;
beforeAll(async () => {
  lab = await makeKubeLab(3);
  [agent] = await Promise.all([lab.node(1).start(), lab.node(2).start()]);
  await eventually(() => lab.node(1).namespace.run('ping -c1 -W1 10.244.2.0'), 40_000);
}, 140_000);
afterAll(() => lab.remove());

const ghost = (index: number) => ({
  podCidrs: [`10.244.${index}.0/24`],
  annotations: flannelAnnotations(`192.168.9.${index}`, `02:00:00:00:00:${index}`),
});

/** From n1 to n2, over the overlay, ten a second. */
async function ping(count: number): Promise<string> {
  const argv = ['ping', '-q', '-c', String(count), '-i0.1', '-W1', '10.244.2.0'] as const;
  return (await lab.node(1).namespace.host.exec(argv, { timeoutMs: 60_000 })).stdout;
}

async function routesHave(subnet: string, isThere: boolean): Promise<void> {
  await eventually(async () => {
    const routes = (await lab.node(1).lines('ip route show')).join('\n');
    expect(routes.includes(subnet)).toBe(isThere);
  }, 40_000);
}

async function readyzSays(status: number, words: RegExp): Promise<void> {
  await eventually(async () => {
    const said = await lab.node(1).health('/readyz');
    expect(said).toEqual([status, expect.stringMatching(words)]);
  }, 40_000);
}

describe('a Kubernetes API that', () => {
  it.skipIf(IS_REAL)('is gone for a while takes nothing with it', PATIENCE, async () => {
    const before = await overlayOf(lab.node(1));
    const pinging = ping(40);
    await lab.api.make('refuse');
    await readyzSays(200, /^ready\nthe datastore does not answer; peers are as it said last$/);
    expect((await lab.node(1).health('/healthz'))[0]).toBe(200);
    expect(await pinging).toContain('40 received');
    await lab.node(1).namespace.run('ip route del 10.244.2.0/24');
    await routesHave('10.244.2.0/24', true);
    expect(await overlayOf(lab.node(1))).toEqual(before);
    await lab.api.make('listenAgain');
    await readyzSays(200, /^ready$/);
    expect(await overlayOf(lab.node(1))).toEqual(before);
  });

  it.skipIf(IS_REAL).each(['endWatches', 'cutWatches'] as const)(
    'makes a watch end (%s) hides nothing',
    PATIENCE,
    async (what) => {
      await lab.api.make(what);
      await lab.api.createNode('n51', ghost(51));
      await routesHave('10.244.51.0/24', true);
      await lab.api.make(what);
      await lab.api.deleteNode('n51');
      await routesHave('10.244.51.0/24', false);
      await routesHave('10.244.2.0/24', true);
    },
  );

  it.skipIf(IS_REAL)('has forgotten what came since is listed again', PATIENCE, async () => {
    await lab.api.createNode('n52', ghost(52));
    await eventually(async () => {
      await lab.api.make('endWatches');
      await lab.api.annotate('n52', { beat: String(Math.random()) });
      await lab.api.make('compact');
      await routesHave('10.244.52.0/24', true);
      expect(agent.log()).toMatch(/read all leases.*because=compacted/);
    }, 40_000);
    await lab.api.deleteNode('n52');
    await routesHave('10.244.52.0/24', false);
  });

  it.skipIf(IS_REAL)('is mute at the start of an agent leaves its health server alone', PATIENCE, async () => {
    const late = lab.node(3);
    await lab.api.setPod('default', 'kube-flannel-ds-3', 'n3');
    lab.api.signal('SIGSTOP');
    try {
      const environment = { NODE_NAME: '', POD_NAMESPACE: 'default', POD_NAME: 'kube-flannel-ds-3' };
      const other = await late.start({ environment, until: /serving health/ });
      expect(await late.health('/healthz')).toEqual([200, 'ok']);
      expect((await late.health('/readyz'))[0]).toBe(503);
      await eventually(async () => expect(other.log()).toMatch(/did not answer within/), 40_000);
      expect(other.log().indexOf('serving health')).toBeLessThan(other.log().indexOf('did not answer within'));
      expect([await late.health('/healthz'), (await late.health('/readyz'))[0]]).toEqual([[200, 'ok'], 503]);
    } finally {
      lab.api.signal('SIGCONT');
    }
    await eventually(async () => expect((await late.health('/readyz'))[0]).toBe(200), 30_000);
  });
});

describe('an agent that was killed', () => {
  it('starts again without a lost packet', PATIENCE, async () => {
    const pinging = ping(120);
    agent.signal('SIGKILL');
    await agent.ended;
    agent = await lab.node(1).start();
    expect(await pinging).toContain('120 received');
  });

  it.skipIf(IS_REAL)(
    'starts from what it knew while the API is gone, also when the device is gone, too',
    PATIENCE,
    async () => {
      const node = lab.node(1);
      const before = await overlayOf(node);
      await eventually(
        async () => expect((await node.lines(`cat ${node.stateFile}`)).join('')).toContain('n2'),
        40_000,
      );
      agent.signal('SIGKILL');
      await agent.ended;
      await lab.api.make('refuse');
      await node.namespace.run('ip link del flannel.1');
      const { exitCode, stderr } = await node.cli('up', '--once');
      expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^WITHOUT A DATASTORE, from \S+state\.json, /)]);
      expect(await overlayOf(node)).toEqual(before);
      await node.namespace.run('ip link del flannel.1');
      agent = await node.start();
      expect(agent.log()).toContain('STARTING WITHOUT A DATASTORE');
      expect(await overlayOf(node)).toEqual(before);
      await node.namespace.run('ping -c1 -W1 10.244.2.0');
      await readyzSays(200, /^ready\nthe datastore has not answered since the start/);
      await lab.api.make('listenAgain');
      await readyzSays(200, /^ready$/);
      expect(await overlayOf(node)).toEqual(before);
    },
  );
});
