import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, eventually, type Lab, type LabNode, makeLab, overlayOf, subnetOf } from './lab.ts';

let lab: Lab;
let node: LabNode;
let peer: LabNode;

beforeAll(async () => {
  lab = await makeLab(2);
  const [first, second] = lab.nodes;
  if (first === undefined || second === undefined) throw new Error('there are no nodes');
  [node, peer] = [first, second];
  await peer.up();
}, 90_000);
afterAll(() => lab.remove());

const CLI = fileURLToPath(new URL('cli.ts', import.meta.url));
const subnets = () => lab.etcdctl('get --prefix --keys-only /coreos.com/network/subnets/');
const flags = () =>
  `--etcd-endpoints http://192.168.9.254:2379 --subnet-file ${node.subnetFile} --state-file ${node.stateFile}`;

/** The same on a terminal of 80 columns; util-linux's script makes one. Escape sequences stay in what it prints. */
async function onTerminal(command: string): Promise<string> {
  const line = `stty cols 80; exec ip netns exec ${node.namespace.name} ${process.execPath} ${CLI} ${command} ${flags()}`;
  const child = spawn('script', ['-qefc', line, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  await once(child, 'close');
  return output.replaceAll('\r\n', '\n');
}

/** Where the programs of iptables cannot be run; with the exit code in its last line. */
async function withoutIptables(command: string): Promise<string> {
  const hide = 'for one in nft legacy; do mount --bind /dev/null /usr/sbin/xtables-$one-multi; done';
  const script = `${hide}; ${process.execPath} ${CLI} ${command} ${flags()}; echo exit $?`;
  const child = spawn('ip', ['netns', 'exec', node.namespace.name, 'unshare', '--mount', 'sh', '-c', script]);
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  await once(child, 'close');
  return output.trimEnd();
}

/** Starts it and gives its output when it has ended; `signal` is sent once something was printed. */
async function interrupted(signal: NodeJS.Signals, command: string) {
  const argv = ['netns', 'exec', node.namespace.name, process.execPath, CLI, ...`${command} ${flags()}`.split(' ')];
  const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
  const ended = once(child, 'close');
  return {
    output,
    stop: async () => {
      child.kill(signal);
      const [exitCode] = await ended;
      return exitCode as number;
    },
  };
}

describe('up --dry-run', { timeout: 90_000 }, () => {
  it('prints each operation with its sign, and nothing else on stdout; writes nothing', async () => {
    const before = [await overlayOf(node), await subnets()];
    const { exitCode, stdout, stderr } = await node.cli('up', '--dry-run', '--ip-masq');
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => !/^[+=-] (ip|bridge|iptables|ip6tables|file) /.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('+ ip route add'))).toHaveLength(1);
    expect(stderr).toMatch(/^would lease 10\.244\.\d+\.0\/24 for 192\.168\.9\.1 on eth0 \(default route\)$/m);
    expect([await overlayOf(node), await subnets()]).toEqual(before);
    expect(await node.lines(`ls ${node.subnetFile}`)).toEqual([]);
  });

  it('is quiet with -q, and the same on a terminal but for where it goes', async () => {
    expect((await node.cli('up', '--dry-run', '-q')).stderr).toBe('');
    const shown = await onTerminal('up --dry-run -q');
    expect(shown).toMatch(/^\+ ip link add dev flannel\.1 /m);
    expect(shown).not.toContain('\u001b');
  });

  it('shows with = what is in order, with - and + what is not', async () => {
    await node.cli('up', '--once');
    const kept = (await node.cli('up', '--dry-run')).stdout.trimEnd().split('\n');
    expect(kept.filter((line) => !line.startsWith('= '))).toEqual([]);
    const subnet = await subnetOf(peer);
    await node.namespace.run(`ip route replace ${subnet} via 10.244.250.0 dev flannel.1 onlink`);
    const changed = (await node.cli('up', '--dry-run')).stdout.trimEnd().split('\n');
    expect(changed.filter((line) => !line.startsWith('= '))).toEqual([
      `- ip route del ${subnet} via 10.244.250.0 dev flannel.1 onlink`,
      `+ ip route add ${subnet} via ${subnet.replace('/24', '')} dev flannel.1 onlink`,
    ]);
  });

  it("tells somebody else's route apart, as nothing that it would do", async () => {
    const subnet = await subnetOf(peer);
    await node.namespace.run(`ip route replace ${subnet} via 192.168.9.254 dev eth0 proto static`);
    const { stdout, stderr } = await node.cli('up', '--dry-run');
    expect(stdout).not.toContain(`ip route add ${subnet}`);
    expect(stderr).toContain(`somebody else holds what should be: ip route add ${subnet}`);
    await node.namespace.run(`ip route del ${subnet}`);
    await node.cli('up', '--once');
  });

  it('refuses beside a flanneld, unless that would be stopped', async () => {
    const program = join(node.namespace.directory, 'flanneld');
    await symlink('/bin/sleep', program);
    const flanneld: ChildProcess = spawn('ip', ['netns', 'exec', node.namespace.name, program, '90'], {
      stdio: 'ignore',
    });
    try {
      await eventually(async () => expect((await node.cli('up', '--dry-run')).exitCode).toBe(75), 15_000);
      const { exitCode, stderr } = await node.cli('up', '--dry-run', '--takeover');
      expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/would stop flanneld \(pid \d+\)/)]);
      expect(flanneld.exitCode).toBeNull();
    } finally {
      flanneld.kill('SIGKILL');
    }
  });
});

describe('up --once', { timeout: 90_000 }, () => {
  it('ends with 1 when the subnet of this node is held by another, and names both', async () => {
    const subnet = await subnetOf(node);
    const key = `/coreos.com/network/subnets/${subnet.replace('/', '-')}`;
    const mine = (await lab.etcdctl(`get --print-value-only ${key}`)).trim();
    await lab.etcdctl(`put ${key} ${mine.replace('192.168.9.1"', '192.168.9.99"')}`);
    const { exitCode, stderr } = await node.cli('up', '--once');
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/192\.168\.9\.1\b.*192\.168\.9\.99/s)]);
    expect(await lab.etcdctl(`get --print-value-only ${key}`)).toContain('192.168.9.99');
    await lab.etcdctl(`del ${key}`);
  });

  it.each([
    [['--takeover'], '--takeover'],
    [['--on-conflict=reallocate', '--force'], '--force, --on-conflict reallocate'],
  ])('refuses %j, which only an agent that stays can follow', async (given, named) => {
    const { exitCode, stderr } = await node.cli('up', '--once', ...given);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(`${named}: only the agent that stays`)]);
  });
});

describe('status and down', { timeout: 120_000 }, () => {
  let agent: Agent;

  it('wait for it to be in order', async () => {
    await node.cli('down');
    expect((await node.cli('status')).exitCode).toBe(3);
    const waiting = node.cli('status', '--wait', '60s', '-o', 'json');
    agent = await node.up();
    const { exitCode, stdout } = await waiting;
    const { kind, status, agent: said } = JSON.parse(stdout);
    expect([exitCode, kind, status, said.told.iface]).toEqual([0, 'AgentStatus', 'in-order', []]);
  });

  it('say what the agent says is wrong', async () => {
    const key = `/coreos.com/network/subnets/${(await subnetOf(node)).replace('/', '-')}`;
    const mine = (await lab.etcdctl(`get --print-value-only ${key}`)).trim();
    await lab.etcdctl(`put ${key} ${mine.replace('192.168.9.1"', '192.168.9.99"')}`);
    await eventually(async () => {
      const { exitCode, stdout } = await node.cli('status');
      expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/the agent: .*held by 192\.168\.9\.99/)]);
    }, 20_000);
    await lab.etcdctl(`del ${key}`);
    await eventually(async () => expect((await node.cli('status')).stdout).not.toContain('the agent: '), 20_000);
  });

  it('say what they saw last when they are told to stop waiting', async () => {
    agent.signal('SIGTERM');
    expect(await agent.ended).toBe(0);
    await node.namespace.run(`ip route del ${await subnetOf(peer)}`);
    const waiting = await interrupted('SIGINT', 'status --wait 60s');
    await new Promise((resolve) => setTimeout(resolve, 8000));
    expect(await waiting.stop()).toBe(130);
    expect(waiting.output.stdout).toMatch(/^drift: /);
  });

  it('miss packet filter rules as well, and do not call in order what they may not look at', async () => {
    await node.cli('up', '--once');
    await node.namespace.run('iptables -w -F FLANNEL-FWD');
    const { exitCode, stdout } = await node.cli('status');
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/replace packet-filter: iptables .*FLANNEL-FWD/)]);
    await node.cli('up', '--once');
    expect((await node.cli('status')).exitCode).toBe(0);
    expect(await withoutIptables('status')).toMatch(/^unknown: .*not looked at: the packet filter rules: .*\nexit 2$/s);
    await node.namespace.run(`ip route del ${await subnetOf(peer)}`);
  });

  it('say it again on every change with --watch, a document a line, until they are told to stop', async () => {
    const watching = await interrupted('SIGTERM', 'status --watch -o json');
    const documents = () =>
      watching.output.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).status);
    await eventually(async () => expect(documents()).toEqual(['drift']), 20_000);
    await node.cli('up', '--once');
    await eventually(async () => expect(documents().at(-1)).toBe('in-order'), 20_000);
    expect(await watching.stop()).toBe(0);
  });

  it('end up with 130 on SIGINT, and the data path stays', async () => {
    const running = await interrupted('SIGINT', 'up');
    await eventually(async () => expect(running.output.stderr).toContain('the overlay is up'), 30_000);
    const before = await overlayOf(node);
    expect(await running.stop()).toBe(130);
    expect(running.output.stdout).toBe('');
    expect(await overlayOf(node)).toEqual(before);
  });

  it('leave the lease with down, and what somebody else changed', async () => {
    await node.namespace.run(`sed -i s/FLANNEL_MTU=1450/FLANNEL_MTU=1400/ ${node.subnetFile}`);
    const { exitCode, stdout } = await node.cli('down');
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringContaining(`left ${node.subnetFile}: somebody else changed it`),
    ]);
    expect(await overlayOf(node)).toEqual(expect.not.arrayContaining([expect.stringContaining('flannel.1')]));
    expect(await subnets()).toContain((await subnetOf(node)).replace('/', '-'));
  });

  it('give it back with down --release, and have nothing to do after that', async () => {
    const subnet = await subnetOf(node);
    const { stdout } = await node.cli('down', '--release');
    expect(stdout).toContain(`removed lease ${subnet.replace('/', '-')}`);
    expect(await subnets()).not.toContain(subnet.replace('/', '-'));
    await node.namespace.run(`rm -f ${node.subnetFile}`);
    expect((await node.cli('down')).stdout).toBe('nothing to take down\n');
    expect((await node.cli('status')).exitCode).toBe(3);
  });
});
