import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PEERS_VARIABLE } from '../../src/drill/flanneld.ts';
import { eventually, type Lab, type LabNode, makeLab, overlayOf, subnetOf } from './lab.ts';

const FLANNELCTL = fileURLToPath(new URL('../../dist/flannelctl', import.meta.url));
const ETCD = 'http://192.168.9.254:2379';

let lab: Lab;
let node: LabNode;
let other: LabNode;
let flanneld: ChildProcess | undefined;
beforeEach(async () => {
  lab = await makeLab(2);
  const [first, second] = lab.nodes;
  if (first === undefined || second === undefined) throw new Error('there are no nodes');
  [node, other, flanneld] = [first, second, undefined];
});
afterEach(async () => {
  flanneld?.kill('SIGKILL');
  await lab.remove();
});

/** The drill's stand-in for flanneld: takes a lease, programs the node once for that many leases, and exists. Until it says that it runs. */
async function startFlanneld({ namespace, subnetFile }: LabNode, leases = 1): Promise<ChildProcess> {
  const program = join(namespace.directory, 'flanneld');
  await symlink(FLANNELCTL, program);
  const flags = [`--etcd-endpoints=${ETCD}`, '--iface=eth0', '--iptables-forward-rules=false'];
  const argv = ['netns', 'exec', namespace.name, program, ...flags, `--subnet-file=${subnetFile}`];
  const env = { ...process.env, [PEERS_VARIABLE]: String(leases) };
  flanneld = spawn('ip', argv, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  flanneld.stderr?.on('data', (chunk) => (log += String(chunk)));
  await eventually(async () => expect(log).toContain('Running backend.'), 20_000);
  return flanneld;
}

/** The other node reaches this one over the overlay from now on, twenty times a second, until it is asked how it went. */
function pinging(from: LabNode, address: string): () => Promise<string> {
  const argv = ['netns', 'exec', from.namespace.name, 'ping', '-i0.05', '-W2', address];
  const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  return async () => {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGINT');
    await ended;
    return / (\d+)% packet loss/.exec(output)?.[0] ?? output;
  };
}

const leases = () => lab.etcdctl('get --prefix /coreos.com/network/subnets/');
const macs = (text: string) => [...text.matchAll(/VtepMAC":"(\S{17})"/g)].map(([, mac]) => mac).sort();

describe('taking over from a flanneld that runs', () => {
  it('loses no packet, and keeps subnet and MAC', { timeout: 90_000 }, async () => {
    const [owner] = await Promise.all([startFlanneld(node, 2), other.up()]);
    const ended = new Promise((resolve) => owner.once('exit', (code, signal) => resolve(signal ?? code)));
    const address = (await subnetOf(node)).replace('/24', '');
    await eventually(() => other.namespace.run(`ping -c1 -W1 ${address}`), 10_000);
    const [link, before] = [await node.lines('cat /sys/class/net/flannel.1/ifindex'), await leases()];
    const loss = pinging(other, address);
    const agent = await node.up({ flags: ['--takeover'] });
    expect(await ended).toBe('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await loss()).toBe(' 0% packet loss');
    expect(await node.lines('cat /sys/class/net/flannel.1/ifindex')).toEqual(link);
    expect(macs(await leases())).toEqual(macs(before));
    expect(agent.log()).toMatch(/taking over.*from=flanneld/);
    await node.namespace.run(`ping -c1 -W1 ${(await subnetOf(other)).replace('/24', '')}`);
  });

  it('stops its unit by systemctl', { timeout: 60_000 }, async () => {
    const owner = await startFlanneld(node);
    const { log, wrap } = await systemdAround(node, owner);
    const agent = await node.up({ flags: ['--takeover'], wrap });
    expect(await readFile(log, 'utf8')).toBe('stop overlay.service\n');
    expect(agent.log()).toMatch(/taking over.*unit=overlay\.service/);
  });

  it('is refused without being told to, by the name of the process and what stops it', {
    timeout: 60_000,
  }, async () => {
    const { pid } = await startFlanneld(node);
    const before = [await overlayOf(node), await leases()];
    const { exitCode, stderr } = await node.cli('up');
    expect([exitCode, stderr]).toEqual([
      75,
      expect.stringMatching(`flanneld \\(pid ${pid}\\) runs here[^]*kill ${pid}`),
    ]);
    const flags = `--etcd-endpoints=${ETCD} --iface=eth0 --iptables-forward-rules=false --subnet-file=${node.subnetFile}`;
    expect(stderr).toContain(`flannelctl up --takeover ${flags}`);
    const unnamed = ['up', '--takeover', '--dry-run', '--state-file', node.stateFile, '--timeout', '2s'];
    const { exitCode: unanswered, stderr: told } = await node.namespace.host.exec([FLANNELCTL, ...unnamed]);
    expect([unanswered, told]).toEqual([69, expect.stringContaining(`flannelctl up --takeover ${flags}`)]);
    expect([await overlayOf(node), await leases()]).toEqual(before);
  });
});

describe('a flanneld that is started while the agent runs', () => {
  it('takes the device as it is, and the agent leaves it to it', { timeout: 90_000 }, async () => {
    const agent = await node.up();
    await other.up();
    const address = (await subnetOf(node)).replace('/24', '');
    await eventually(() => other.namespace.run(`ping -c1 -W1 ${address}`), 10_000);
    const before = await overlayOf(node);
    const loss = pinging(other, address);
    await startFlanneld(node);
    expect(await agent.ended).toBe(0);
    expect(agent.log()).toMatch(
      /level=warn msg="flanneld \(pid \d+\) runs here and owns the overlay; leaving it the device"/,
    );
    expect([await loss(), await overlayOf(node)]).toEqual([' 0% packet loss', before]);
  });
});

/**
 * A systemctl that writes down what it is told and knows one unit, of which that is the main process; seen by the agent alone, in
 * its own mount namespace.
 */
async function systemdAround({ namespace: { directory } }: LabNode, { pid }: ChildProcess) {
  const [log, cgroup] = [join(directory, 'systemctl.log'), join(directory, 'cgroup')];
  const program = join(directory, 'systemctl');
  await writeFile(log, '');
  await writeFile(cgroup, '0::/system.slice/overlay.service\n');
  await writeFile(
    program,
    `#!/bin/sh\ncase "$1" in show) echo ${pid}; exit 0 ;; esac\necho "$@" >>${log}\nkill ${pid}\n`,
  );
  await chmod(program, 0o755);
  const mounts = [
    'mount -t tmpfs tmpfs /usr/local/sbin',
    `cp ${program} /usr/local/sbin/systemctl`,
    `mount --bind ${cgroup} /proc/${pid}/cgroup`,
  ];
  return { log, wrap: ['sh', '-c', `${mounts.join(' && ')} && exec "$@"`, 'sh'] };
}
