import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Lab, type LabNode, makeLab, overlayOf, subnetOf } from './lab.ts';

let lab: Lab;
beforeEach(async () => {
  lab = await makeLab(2);
});
afterEach(() => lab.remove());

function node(index: number): LabNode {
  const found = lab.nodes[index];
  if (found === undefined) throw new Error(`there is no node ${index}`);
  return found;
}

const THIEF = {
  PublicIP: '192.168.9.99',
  PublicIPv6: null,
  BackendType: 'vxlan',
  BackendData: { VNI: 1, VtepMAC: '02:00:00:00:00:63' },
};
const keyOf = async (index: number) => `/coreos.com/network/subnets/${(await subnetOf(node(index))).replace('/', '-')}`;
const readyz = async (index: number) => (await node(index).lines('curl -s http://127.0.0.1:8081/readyz')).join('\n');
const HEALTH = { flags: ['--healthz-port', '8081'] };

describe('the lease of the agent', () => {
  it('is never written over when another host holds it, and /readyz says both owners', {
    timeout: 40_000,
  }, async () => {
    await node(0).up(HEALTH);
    const [key, before] = [await keyOf(0), await overlayOf(node(0))];
    await lab.put(key, THIEF);
    await eventually(
      async () => expect(await readyz(0)).toMatch(/used by this node \(192\.168\.9\.1\).* held by 192\.168\.9\.99/),
      5000,
    );
    expect(await lab.etcdctl(`get --print-value-only ${key}`)).toContain('192.168.9.99');
    expect(await overlayOf(node(0))).toEqual(before);
  });

  it('is taken again when it is gone and free', { timeout: 40_000 }, async () => {
    await node(0).up(HEALTH);
    const key = await keyOf(0);
    await lab.etcdctl(`del ${key}`);
    await eventually(
      async () => expect(await lab.etcdctl(`get --print-value-only ${key}`)).toContain('192.168.9.1'),
      5000,
    );
    expect(await readyz(0)).toBe('ready');
  });

  it('is another subnet after a conflict where that was asked for', { timeout: 40_000 }, async () => {
    await node(0).up({ flags: ['--on-conflict', 'reallocate', ...HEALTH.flags] });
    const [key, before] = [await keyOf(0), await subnetOf(node(0))];
    await lab.put(key, THIEF);
    await eventually(async () => expect(await subnetOf(node(0))).not.toBe(before), 8000);
    const address = (await subnetOf(node(0))).replace('/24', '/32');
    expect((await node(0).lines('ip -o -4 addr show dev flannel.1')).join('\n')).toContain(address);
    expect(await lab.etcdctl(`get --print-value-only ${key}`)).toContain('192.168.9.99');
  });

  it('is not fought over by an agent that slept while another host took it', { timeout: 40_000 }, async () => {
    const agent = await node(0).up(HEALTH);
    const key = await keyOf(0);
    agent.signal('SIGSTOP');
    await lab.etcdctl(`del ${key}`);
    await lab.put(key, THIEF);
    agent.signal('SIGCONT');
    await eventually(async () => expect(await readyz(0)).toContain('192.168.9.99'), 8000);
    expect(await lab.etcdctl(`get --print-value-only ${key}`)).toContain('192.168.9.99');
  });

  it('publishes the new address when the underlay gets another one', { timeout: 40_000 }, async () => {
    await node(0).up(HEALTH);
    const key = await keyOf(0);
    await node(0).namespace.run('ip addr add 192.168.9.41/24 dev eth0');
    await node(0).namespace.run('ip addr del 192.168.9.1/24 dev eth0');
    await node(0).namespace.run('ip addr flush dev eth0');
    await node(0).namespace.run('ip addr add 192.168.9.41/24 dev eth0');
    await node(0).namespace.run('ip route replace default via 192.168.9.254');
    await eventually(
      async () => expect(await lab.etcdctl(`get --print-value-only ${key}`)).toContain('192.168.9.41'),
      10_000,
    );
    expect((await node(0).lines('ip -d -o link show flannel.1')).join(' ')).toContain('local 192.168.9.41');
  });
});

describe('the datastore of the agent', () => {
  it('may be silent for a while: drift is repaired all the same', { timeout: 60_000 }, async () => {
    await node(0).up(HEALTH);
    await node(1).up();
    const peer = await subnetOf(node(1));
    await eventually(async () => expect((await node(0).lines('ip route show')).join('\n')).toContain(peer), 5000);
    lab.signalEtcd('SIGSTOP');
    await node(0).namespace.run(`ip route del ${peer}`);
    await eventually(async () => expect((await node(0).lines('ip route show')).join('\n')).toContain(peer), 3000);
    lab.signalEtcd('SIGCONT');
    await eventually(async () => expect(await readyz(0)).toBe('ready'), 15_000);
  });

  it('may be silent at the start: the last known state does until it answers', { timeout: 60_000 }, async () => {
    const first = await node(0).up();
    await node(1).up();
    const peer = await subnetOf(node(1));
    await eventually(
      async () => expect(await node(0).namespace.host.readFile(node(0).stateFile)).toContain(peer),
      8000,
    );
    first.signal('SIGKILL');
    await first.ended;
    lab.signalEtcd('SIGSTOP');
    await node(0).namespace.run('ip link del flannel.1');
    const again = await node(0).up();
    expect(again.log()).toContain('STARTING WITHOUT A DATASTORE');
    expect((await node(0).lines('ip route show')).join('\n')).toContain(peer);
    lab.signalEtcd('SIGCONT');
    await eventually(async () => expect(again.log()).toMatch(/lease acquired.*again=true/), 10_000);
  });

  it('must be there when there is no state', { timeout: 40_000 }, async () => {
    lab.signalEtcd('SIGSTOP');
    expect((await node(0).cli('up')).exitCode).toBe(69);
  });

  it('may lose all leases at once: peers that answer are kept', { timeout: 90_000 }, async () => {
    const agent = await node(0).up();
    const other = await node(1).up();
    const peer = await subnetOf(node(1));
    await eventually(async () => expect((await node(0).lines('ip route show')).join('\n')).toContain(peer), 5000);
    other.signal('SIGKILL');
    await other.ended;
    agent.signal('SIGSTOP');
    await lab.etcdctl('del --prefix /coreos.com/network/subnets/');
    agent.signal('SIGKILL');
    await agent.ended;
    const again = await node(0).up();
    await eventually(async () => expect(again.log()).toMatch(/still lack these peers.*peers=1 answering=1/), 45_000);
    expect((await node(0).lines('ip route show')).join('\n')).toContain(peer);
  });
});
