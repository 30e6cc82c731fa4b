import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { IS_REAL, type KubeLab, makeKubeLab } from './kube-lab.ts';
import { type Agent, eventually, overlayOf } from './lab.ts';

const PREFIX = 'flannel.alpha.coreos.com';
const PATIENCE = { timeout: 180_000 };

let lab: KubeLab;
const running: Agent[] = [];
beforeAll(async () => {
  lab = await makeKubeLab(2);
}, 120_000);
afterEach(async () => {
  for (const agent of running.splice(0)) {
    agent.signal('SIGTERM');
    await agent.ended;
  }
});
afterAll(() => lab.remove());

async function start(index: number, options?: Parameters<ReturnType<KubeLab['node']>['start']>[0]): Promise<Agent> {
  const agent = await lab.node(index).start(options);
  running.push(agent);
  return agent;
}

describe('an agent of Kubernetes', () => {
  it('waits for the podCIDR of its Node, and says so', PATIENCE, async () => {
    await lab.api.createNode('n8', {});
    const agent = await start(1, { environment: { NODE_NAME: 'n8' }, until: /no lease yet/ });
    const [status, body] = await lab.node(1).health('/readyz');
    expect([status, body]).toEqual([503, expect.stringMatching(/node n8 has no podCIDR\. .*--allocate-node-cidrs/)]);
    await lab.api.setPodCidr('n8', '10.244.8.0/24');
    await eventually(async () => expect(agent.log()).toContain('the overlay is up'), 40_000);
    await eventually(async () => expect((await lab.node(1).health('/readyz'))[0]).toBe(200), 40_000);
    expect(await lab.node(1).lines('ip -o -4 addr show dev flannel.1')).toEqual([
      expect.stringContaining('10.244.8.0/32'),
    ]);
  });

  it('is taken down, and its podCIDR is not given back', PATIENCE, async () => {
    const node = lab.node(1);
    const before = await overlayOf(node);
    const refused = await node.cli('down', '--release');
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining('kubectl delete node')]);
    expect(await overlayOf(node)).toEqual(before);
    expect((await node.cli('down')).exitCode).toBe(0);
    expect((await node.cli('status')).exitCode).toBe(3);
    await lab.api.deleteNode('n8');
  });

  it.skipIf(IS_REAL)('that may not patch its Node says that it is forbidden', PATIENCE, async () => {
    await lab.api.letPatch(false);
    const agent = await start(1, { until: /no lease yet/ });
    expect(agent.log()).toMatch(/does not let us patch the status of node n1 \(403\)/);
    const [status, body] = await lab.node(1).health('/readyz');
    expect([status, body]).toEqual([503, expect.stringContaining('(403)')]);
    agent.signal('SIGTERM');
    expect(await agent.ended).toBe(0);
    const once = await lab.node(1).cli('up', '--once');
    expect([once.exitCode, once.stderr]).toEqual([77, expect.stringContaining('(403)')]);
    await lab.api.letPatch(true);
  });

  it('is known by its Pod', PATIENCE, async () => {
    await lab.api.setPod('default', 'kube-flannel-ds-1', 'n1');
    const environment = { NODE_NAME: '', POD_NAMESPACE: 'default', POD_NAME: 'kube-flannel-ds-1' };
    await start(1, { environment });
    const { metadata } = await lab.api.node('n1');
    expect(metadata.annotations[`${PREFIX}/public-ip`]).toBe('192.168.9.1');
  });

  it('is reached where the administrator says', PATIENCE, async () => {
    const node = lab.node(2);
    await node.namespace.run('ip addr add 192.168.9.102/32 dev eth0');
    await lab.api.annotate('n2', { [`${PREFIX}/public-ip-overwrite`]: '192.168.9.102' });
    await Promise.all([start(1), start(2)]);
    await eventually(async () => {
      const entries = await lab.node(1).lines('bridge fdb show dev flannel.1');
      expect(entries.join('\n')).toContain('dst 192.168.9.102');
    }, 40_000);
    await eventually(() => lab.node(1).namespace.run('ping -c1 -W1 10.244.2.0'), 40_000);
    const { exitCode, stdout } = await node.cli('status', '-o', 'json');
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { lease: { key: 'n2' } }]);
  });

  it(
    'takes the published MAC again after a reboot, also under the address of the administrator',
    PATIENCE,
    async () => {
      const macOf = async () => (await lab.node(2).lines('cat /sys/class/net/flannel.1/address')).join('');
      const before = await macOf();
      await lab.node(2).namespace.run('ip link del flannel.1');
      await start(2);
      expect(await macOf()).toBe(before);
    },
  );

  it('programs the overlay once and leaves, under another prefix, too', PATIENCE, async () => {
    const flags = ['--kube-annotation-prefix', 'example.com/flannel'];
    const dry = await lab.node(1).cli('up', '--dry-run', ...flags);
    expect([dry.exitCode, dry.stderr]).toEqual([0, expect.stringContaining('would lease 10.244.1.0/24')]);
    expect((await lab.api.node('n1')).metadata.annotations).not.toHaveProperty('example.com/flannel-public-ip');
    const { exitCode, stderr } = await lab.node(1).cli('up', '--once', ...flags);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect((await lab.api.node('n1')).metadata.annotations).toMatchObject({
      'example.com/flannel-kube-subnet-manager': 'true',
      'example.com/flannel-public-ip': '192.168.9.1',
    });
  });
});
