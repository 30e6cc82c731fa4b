import { spawn } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
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

async function bothUp() {
  const agents = [await node(0).up(), await node(1).up()] as const;
  const address = (await subnetOf(node(1))).replace('/24', '');
  await eventually(() => node(0).namespace.run(`ping -c1 -W1 ${address}`), 5000);
  return { agents, address };
}

/** Something that runs under the name of flanneld there. */
async function pretendFlanneld({ namespace }: LabNode) {
  const program = join(namespace.directory, 'flanneld');
  await symlink('/bin/sleep', program);
  return spawn('ip', ['netns', 'exec', namespace.name, program, '60'], { stdio: 'ignore' });
}

describe('the life of the agent', () => {
  it('loses no packet while it is killed and started again', { timeout: 40_000 }, async () => {
    const { agents, address } = await bothUp();
    const pinging = node(0).namespace.run(`ping -c40 -i0.1 -W1 ${address}`);
    agents[0].signal('SIGKILL');
    await agents[0].ended;
    await node(0).up();
    expect(await pinging).toContain('40 received');
  });

  it('keeps subnet and MAC over a restart', { timeout: 40_000 }, async () => {
    const { agents } = await bothUp();
    const before = await overlayOf(node(0));
    agents[0].signal('SIGKILL');
    await agents[0].ended;
    await node(0).up();
    expect(await overlayOf(node(0))).toEqual(before);
  });

  it('ends with 0 on SIGTERM and leaves the data path as it is', { timeout: 40_000 }, async () => {
    const { agents, address } = await bothUp();
    const before = await overlayOf(node(0));
    agents[0].signal('SIGTERM');
    expect(await agents[0].ended).toBe(0);
    expect(await overlayOf(node(0))).toEqual(before);
    await node(0).namespace.run(`ping -c1 -W1 ${address}`);
  });

  it('is flannelctl to ps and pgrep', { timeout: 40_000 }, async () => {
    const { pid } = await node(0).up();
    expect(await node(0).lines(`cat /proc/${pid}/comm`)).toEqual(['flannelctl']);
  });

  it('runs once in a network namespace', { timeout: 40_000 }, async () => {
    await node(0).up();
    const { exitCode, stderr } = await node(0).cli('up');
    expect([exitCode, stderr]).toEqual([
      75,
      expect.stringMatching(/^Error: another flannelctl.*\nSee what it says: flannelctl status$/m),
    ]);
    const once = await node(0).cli('up', '--once');
    expect([once.exitCode, once.stderr]).toEqual([
      75,
      expect.stringContaining('An agent keeps the overlay in order by itself.'),
    ]);
    expect((await node(0).cli('up', '--dry-run')).exitCode).toBe(0);
  });

  it('drops a peer whose lease was deleted, at once', { timeout: 40_000 }, async () => {
    const { agents } = await bothUp();
    const subnet = await subnetOf(node(1));
    agents[1].signal('SIGTERM');
    await agents[1].ended;
    await lab.etcdctl(`del /coreos.com/network/subnets/${subnet.replace('/', '-')}`);
    await eventually(async () => expect((await node(0).lines('ip route show')).join('\n')).not.toContain(subnet), 2000);
  });

  it('refuses to start beside a flanneld', { timeout: 40_000 }, async () => {
    const flanneld = await pretendFlanneld(node(0));
    const { exitCode, stderr } = await node(0).cli('up');
    flanneld.kill('SIGKILL');
    expect([exitCode, stderr]).toEqual([75, expect.stringContaining('flanneld (pid')]);
  });

  it('stops a bare flanneld when it is told to take over', { timeout: 40_000 }, async () => {
    const flanneld = await pretendFlanneld(node(0));
    const ended = new Promise((resolve) => flanneld.once('exit', (_code, signal) => resolve(signal)));
    await node(0).up({ flags: ['--takeover'] });
    expect(await ended).toBe('SIGTERM');
  });

  it('leaves the device to a flanneld that is started later', { timeout: 40_000 }, async () => {
    const agent = await node(0).up();
    const before = await overlayOf(node(0));
    const flanneld = await pretendFlanneld(node(0));
    await node(0).namespace.run('ip neigh replace 10.244.251.0 lladdr 02:02:02:02:02:03 dev flannel.1 nud permanent');
    expect(await agent.ended).toBe(0);
    flanneld.kill('SIGKILL');
    await node(0).namespace.run('ip neigh del 10.244.251.0 dev flannel.1');
    expect(await overlayOf(node(0))).toEqual(before);
  });

  it('says by its exit code whether all is in order, drifted or down', { timeout: 40_000 }, async () => {
    const { agents } = await bothUp();
    agents[0].signal('SIGTERM');
    await agents[0].ended;
    const codes = [(await node(0).cli('status')).exitCode];
    await node(0).namespace.run(`ip route del ${await subnetOf(node(1))}`);
    codes.push((await node(0).cli('status')).exitCode);
    codes.push((await node(0).cli('down')).exitCode);
    codes.push((await node(0).cli('status')).exitCode);
    expect(codes).toEqual([0, 1, 0, 3]);
    expect(await node(0).lines(`ls ${node(0).namespace.directory}`)).toEqual([]);
  });
});
