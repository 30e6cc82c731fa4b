import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Lab, type LabNode, makeLab, overlayOf, subnetOf } from './lab.ts';

let lab: Lab;
let node: LabNode;
beforeEach(async () => {
  lab = await makeLab(1);
  const [first] = lab.nodes;
  if (first === undefined) throw new Error('there is no node');
  node = first;
});
afterEach(() => lab.remove());

const SUBNETS = '/coreos.com/network/subnets/';
const HEALTH = { flags: ['--healthz-port', '8081'] };
const ask = async (path: string) => (await node.lines(`curl -s http://127.0.0.1:8081${path}`)).join('\n');
const keyOf = async () => `${SUBNETS}${(await subnetOf(node)).replace('/', '-')}`;

/** The same subnet with another second half, as it was before the cluster was single-stack. */
const besideOf = (key: string) => `${key}&fc00:0:1::-64`;

describe('a key that begins as the own one does', () => {
  it('may come and go: the lease, the overlay and /readyz stay', { timeout: 40_000 }, async () => {
    const agent = await node.up(HEALTH);
    const key = await keyOf();
    const [before, value] = [await overlayOf(node), await lab.etcdctl(`get -w fields ${key}`)];
    const ours = JSON.parse(await lab.etcdctl(`get --print-value-only ${key}`));
    await lab.put(besideOf(key), ours);
    await lab.etcdctl(`del ${besideOf(key)}`);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await lab.etcdctl(`get -w fields ${key}`)).toContain(modRevisionOf(value));
    expect([await ask('/readyz'), await overlayOf(node)]).toEqual(['ready', before]);
    expect(agent.log()).not.toMatch(/level=(warn|error).*lease/);
  });

  it('is told with both owners when another host publishes the own subnet under it', { timeout: 40_000 }, async () => {
    await node.up(HEALTH);
    const key = await keyOf();
    await lab.put(besideOf(key), {
      PublicIP: '192.168.9.99',
      PublicIPv6: null,
      BackendType: 'vxlan',
      BackendData: { VNI: 1, VtepMAC: '02:00:00:00:00:63' },
    });
    await eventually(async () => expect(await ask('/readyz')).toMatch(/192\.168\.9\.1\).*192\.168\.9\.99/), 5000);
    await lab.etcdctl(`del ${besideOf(key)}`);
    await eventually(async () => expect(await ask('/readyz')).toBe('ready'), 5000);
    expect(await lab.etcdctl(`get --print-value-only ${key}`)).toContain('192.168.9.1"');
  });
});

describe('a health port that is taken', () => {
  it('does not keep the overlay from coming up, and is served once it is free', { timeout: 60_000 }, async () => {
    const listen = 'require("net").createServer().listen(8081)';
    const other = spawn('ip', ['netns', 'exec', node.namespace.name, process.execPath, '-e', listen]);
    await eventually(async () => expect(await node.lines('ss -ltnH')).toHaveLength(1), 5000);
    const agent = await node.up(HEALTH);
    expect(agent.log()).toContain('health is not served; trying again');
    other.kill('SIGKILL');
    await eventually(async () => expect(await ask('/readyz')).toBe('ready'), 15_000);
  });
});

describe('the log of a start', () => {
  it('never holds the password of etcd', { timeout: 40_000 }, async () => {
    const secret = 'Ofenrohr-7';
    const given = ['--etcd-username', 'flannel', '--etcd-password', secret, '--verbose', '--debug'];
    const { exitCode, stdout, stderr } = await node.cli('up', ...given);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('etcd');
    expect(stdout + stderr).not.toContain(secret);
  });
});

function modRevisionOf(fields: string): string {
  return /"ModRevision" : \d+/.exec(fields)?.[0] ?? 'no revision';
}
