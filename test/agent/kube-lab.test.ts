import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flannelAnnotations } from '../support/kube-objects.ts';
import { type KubeLab, makeKubeLab } from './kube-lab.ts';
import { type Agent, eventually } from './lab.ts';

const PREFIX = 'flannel.alpha.coreos.com';
const PATIENCE = { timeout: 180_000 };

let lab: KubeLab;
let agents: readonly Agent[];
beforeAll(async () => {
  lab = await makeKubeLab(3);
  agents = await Promise.all(lab.nodes.map((node) => node.start({ flags: ['--ip-masq'] })));
  await Promise.all(lab.nodes.map((node) => node.addPod()));
}, 120_000);
afterAll(() => lab.remove());

const others = (name: string) => lab.nodes.filter((node) => node.name !== name).map(({ podIp }) => podIp);

/** What n1 has of a peer, as soon as it has it. */
async function onNode1(command: string, expected: RegExp): Promise<void> {
  await eventually(async () => expect((await lab.node(1).lines(command)).join('\n')).toMatch(expected), 40_000);
}

async function goneFromNode1(command: string, unexpected: string): Promise<void> {
  await eventually(async () => expect((await lab.node(1).lines(command)).join('\n')).not.toContain(unexpected), 40_000);
}

const ROUTES = 'ip route show';
const NEIGHBOURS = 'ip neigh show dev flannel.1 nud permanent';
const FORWARDING = 'bridge fdb show dev flannel.1';

describe('pods of nodes that Kubernetes gave their subnets', () => {
  it('reach each other, with full-size packets that may not be split', PATIENCE, async () => {
    await Promise.all(
      lab.nodes.flatMap((node) =>
        others(node.name).map((address) => node.inPod(`ping -q -c2 -i0.2 -W2 -M do -s 1422 ${address}`)),
      ),
    );
  });

  it('get by TCP and UDP what was sent', PATIENCE, async () => {
    for (const node of lab.nodes) {
      const said = await node.payload(others(node.name));
      expect(said.split('\n').filter(Boolean)).toHaveLength(2);
    }
  });
});

describe('the Node of an agent', () => {
  it('says what flannel writes there, and that the network is up', PATIENCE, async () => {
    const mac = (await lab.node(1).lines('cat /sys/class/net/flannel.1/address')).join('');
    await eventually(async () => {
      const { metadata, status } = await lab.api.node('n1');
      expect(metadata.annotations).toMatchObject(flannelAnnotations('192.168.9.1', mac));
      expect(status.conditions.find(({ type }) => type === 'NetworkUnavailable')).toMatchObject({
        status: 'False',
        reason: 'FlannelIsUp',
        message: 'Flannel is running on this node',
      });
    }, 40_000);
  });

  it('is written with the role of flannel and nothing more', async () => {
    expect(await lab.api.denied()).toEqual([]);
  });

  it('is shown and listed to a user, and not written by one', PATIENCE, async () => {
    const node = lab.node(1);
    const { stdout } = await node.cli('leases', 'list', '-o', 'json');
    expect(JSON.parse(stdout).items).toMatchObject([
      { key: 'n1', subnet: '10.244.1.0/24', publicIP: '192.168.9.1', ttlSeconds: null, states: ['live', 'this-host'] },
      { key: 'n2', subnet: '10.244.2.0/24', publicIP: '192.168.9.2', states: ['live'] },
      { key: 'n3', subnet: '10.244.3.0/24', publicIP: '192.168.9.3', states: ['live'] },
    ]);
    const shown = await node.cli('leases', 'show', 'n2', '-o', 'json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ kind: 'Lease', node: 'n2', subnet: '10.244.2.0/24' });
    expect((await node.cli('leases', 'release', '10.244.1.0/24', '--yes')).exitCode).toBe(3);
  });

  it('is in order by status and by a dry run', PATIENCE, async () => {
    const node = lab.node(1);
    await eventually(async () => expect((await node.lines(`cat ${node.stateFile}`)).join('')).toContain('n3'), 40_000);
    const said = await node.cli('status', '-o', 'json');
    expect([said.exitCode, JSON.parse(said.stdout)]).toMatchObject([0, { lease: { key: 'n1' } }]);
    const dry = await node.cli('up', '--dry-run', '-o', 'json', '--ip-masq');
    expect([dry.exitCode, dry.stderr]).toEqual([0, expect.stringMatching(/^would lease 10\.244\.1\.0\/24 [^\n]*\n$/)]);
    const { subnet, changes } = JSON.parse(dry.stdout);
    expect([subnet, changes.filter((line: string) => !line.startsWith('='))]).toEqual(['10.244.1.0/24', []]);
  });
});

describe('a Node of another machine', () => {
  const ghost = (index: number) => ({
    podCidrs: [`10.244.${index}.0/24`],
    annotations: flannelAnnotations(`192.168.9.${index}`, `02:00:00:00:00:${index}`),
  });

  it('is followed from its coming to its going', PATIENCE, async () => {
    await lab.api.createNode('n10', ghost(10));
    await onNode1(ROUTES, /^10\.244\.10\.0\/24 via 10\.244\.10\.0 dev flannel\.1 onlink/m);
    await onNode1(FORWARDING, /^02:00:00:00:00:10 dst 192\.168\.9\.10 self permanent/m);
    await lab.api.annotate('n10', { [`${PREFIX}/public-ip`]: '192.168.9.19' });
    await onNode1(FORWARDING, /^02:00:00:00:00:10 dst 192\.168\.9\.19 /m);
    await lab.api.annotate('n10', { [`${PREFIX}/backend-data`]: '{"VNI":1,"VtepMAC":"02:00:00:00:00:19"}' });
    await onNode1(NEIGHBOURS, /^10\.244\.10\.0 lladdr 02:00:00:00:00:19 /m);
    await goneFromNode1(FORWARDING, '02:00:00:00:00:10');
    await lab.api.deleteNode('n10');
    await goneFromNode1(ROUTES, '10.244.10.0');
    await goneFromNode1(NEIGHBOURS, '10.244.10.0');
    await goneFromNode1(FORWARDING, '02:00:00:00:00:19');
  });

  it('is followed to another podCIDR while its annotations stay', PATIENCE, async () => {
    await lab.api.createNode('n20', ghost(20));
    await onNode1(ROUTES, /^10\.244\.20\.0\/24 /m);
    await lab.api.deleteNode('n20');
    await lab.api.createNode('n20', { ...ghost(20), podCidrs: ['10.244.21.0/24'] });
    await onNode1(ROUTES, /^10\.244\.21\.0\/24 via 10\.244\.21\.0 dev flannel\.1 onlink/m);
    await goneFromNode1(ROUTES, '10.244.20.0/24');
    await lab.api.deleteNode('n20');
    await goneFromNode1(ROUTES, '10.244.21.0/24');
  });

  it('is told and left out when its annotations are junk', PATIENCE, async () => {
    const junk = '{"VNI":1,"VtepMAC":"02:00:00:00:00:66\\nlink del dev flannel.1"}';
    const annotations = { ...ghost(30).annotations, [`${PREFIX}/backend-data`]: junk };
    await lab.api.createNode('n6', { podCidrs: ['10.244.6.0/24'], annotations });
    const address = '192.168.9.7 dev eth0\nroute del default';
    const more = { ...ghost(30).annotations, [`${PREFIX}/public-ip`]: address };
    await lab.api.createNode('n7', { podCidrs: ['10.244.7.0/24'], annotations: more });
    await lab.api.createNode('n30', ghost(30));
    await onNode1(ROUTES, /^10\.244\.30\.0\/24 /m);
    await eventually(async () => {
      expect(agents[0]?.log()).toMatch(/a record is not programmed.*key=n6/);
      expect(agents[0]?.log()).toMatch(/a record is not programmed.*key=n7/);
    }, 40_000);
    const programmed = (await lab.node(1).lines('ip route show table all')).join('\n');
    expect(programmed).not.toMatch(/10\.244\.[67]\./);
    expect(programmed).toContain('default via');
    for (const name of ['n6', 'n7', 'n30']) await lab.api.deleteNode(name);
    await goneFromNode1(ROUTES, '10.244.30.0/24');
  });
});

describe('a node whose Node', () => {
  it('was deleted and came back with another podCIDR takes that, and its peers follow', PATIENCE, async () => {
    await lab.api.deleteNode('n3');
    await goneFromNode1(ROUTES, '10.244.3.0/24');
    await eventually(async () => expect((await lab.node(3).health('/readyz'))[0]).toBe(503), 40_000);
    await lab.api.createNode('n3', { podCidrs: ['10.244.33.0/24'] });
    await onNode1(ROUTES, /^10\.244\.33\.0\/24 /m);
    await eventually(() => lab.node(1).namespace.run('ping -c1 -W1 10.244.33.0'), 40_000);
    expect(agents[2]?.log()).toMatch(/this node has another subnet now.*10\.244\.3\.0\/24.*10\.244\.33\.0\/24/);
    await eventually(async () => expect((await lab.node(3).health('/readyz'))[0]).toBe(200), 40_000);
    await eventually(async () => {
      const { conditions } = (await lab.api.node('n3')).status;
      expect(conditions).toContainEqual(expect.objectContaining({ type: 'NetworkUnavailable', status: 'False' }));
    }, 40_000);
  });

  it('another agent writes is a conflict, told with both and not written over', PATIENCE, async () => {
    const theirs = '{"VNI":1,"VtepMAC":"02:00:00:00:00:77"}';
    await lab.api.annotate('n2', { [`${PREFIX}/backend-data`]: theirs });
    await eventually(async () => {
      const [status, body] = await lab.node(2).health('/readyz');
      expect([status, body]).toEqual([503, expect.stringMatching(/node n2 is also written by another agent.*:77/)]);
    }, 40_000);
    expect((await lab.api.node('n2')).metadata.annotations[`${PREFIX}/backend-data`]).toBe(theirs);
  });
});
