import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, eventually, type Lab, type LabNode, makeLab, subnetOf } from './lab.ts';

let lab: Lab;
let node: LabNode;
let agent: Agent | undefined;

beforeAll(async () => {
  lab = await makeLab(2);
  const [first, second] = lab.nodes;
  if (first === undefined || second === undefined) throw new Error('there are no nodes');
  node = first;
  await node.namespace.run('ip link add second0 type veth peer name second1');
  await node.namespace.run('ip addr add 172.31.0.1/24 dev second0');
  for (const device of ['second0', 'second1']) await node.namespace.run(`ip link set ${device} up`);
  await second.up();
}, 90_000);
afterEach(async () => {
  agent?.signal('SIGTERM');
  await agent?.ended;
  agent = undefined;
  if ((await node.lines('ip link show flannel.1')).length > 0) await node.cli('down', '--release');
});
afterAll(() => lab.remove());

const SECOND = 'second0 172.31.0.1';
const CLI = fileURLToPath(new URL('cli.ts', import.meta.url));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** flannelctl there with variables of flanneld in its environment, and no flag but these. */
async function withEnvironment(environment: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
  const argv = ['netns', 'exec', node.namespace.name, process.execPath, CLI, ...args];
  const child = spawn('ip', argv, {
    env: {
      PATH: process.env['PATH'] ?? '',
      FLANNELD_ETCD_ENDPOINTS: 'http://192.168.9.254:2379',
      FLANNELD_SUBNET_FILE: node.subnetFile,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
  const [exitCode] = await once(child, 'close');
  return { exitCode, ...output };
}

const dryRun = async (...flags: string[]) => {
  const { exitCode, stdout, stderr } = await node.cli('up', '--dry-run', '-o', 'json', ...flags);
  return { exitCode, ...JSON.parse(stdout), stderr };
};
const saved = async () => (await node.lines('iptables-save')).join('\n');

describe('the interface of up', { timeout: 90_000 }, () => {
  it.each([
    ['by its name', '--iface=second0', SECOND],
    ['by its address', '-iface 172.31.0.1', SECOND],
    ['by the first that is there', '--iface=nosuch --iface=second0 --iface=eth0', SECOND],
    ['by a regular expression for its address', '--iface-regex=^172\\.31\\.', SECOND],
    ['by a regular expression for its name', '--iface-regex nosuch --iface-regex sec.*0', SECOND],
    ['by what it reaches', '--iface-can-reach=172.31.0.77', SECOND],
    ['by the public address', '--public-ip=172.31.0.1', SECOND],
    ['by the default route', '', 'eth0 192.168.9.1'],
  ])('is chosen %s', async (_how, flags, expected) => {
    const { exitCode, iface, publicIP } = await dryRun(...flags.split(' ').filter((flag) => flag !== ''));
    expect([exitCode, `${iface} ${publicIP}`]).toEqual([0, expected]);
  });

  it('is refused when there is none of that name, with the reason', async () => {
    const { exitCode, stderr } = await node.cli('up', '--dry-run', '--iface=nosuch');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('nosuch')]);
  });

  it('is explained with -v', async () => {
    const { stderr } = await node.cli('up', '--dry-run', '-v');
    expect(stderr).toMatch(/eth0.*default route|default route.*eth0/);
    expect((await node.cli('up', '--dry-run')).stderr.split('\n').length).toBeLessThan(stderr.split('\n').length);
  });
});

describe('the environment of up', { timeout: 90_000 }, () => {
  it('names the interface, the datastore and the subnet file as it does for flanneld', async () => {
    const { exitCode, stdout } = await withEnvironment({ FLANNELD_IFACE: 'second0' }, 'up', '--dry-run', '--json');
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ iface: 'second0' })]);
  });

  it('is one name, whatever commas it holds', async () => {
    const { exitCode, stderr } = await withEnvironment({ FLANNELD_IFACE: 'eth0,second0' }, 'up', '--dry-run');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('eth0,second0')]);
  });

  it('counts less than the command line', async () => {
    const { stdout } = await withEnvironment({ FLANNELD_IFACE: 'second0' }, 'up', '--dry-run', '--json', '-iface=eth0');
    expect(JSON.parse(stdout)).toMatchObject({ iface: 'eth0' });
  });

  it("takes Go's booleans, and says which value it ignores", async () => {
    const { stdout, stderr } = await withEnvironment(
      { FLANNELD_IP_MASQ: 'T', FLANNELD_IPTABLES_FORWARD_RULES: 'maybe' },
      'up',
      '--dry-run',
      '--json',
    );
    expect(JSON.parse(stdout).subnetEnv).toContain('FLANNEL_IPMASQ=true');
    expect(stdout).toContain('FLANNEL-FWD');
    expect(stderr).toContain('FLANNELD_IPTABLES_FORWARD_RULES is ignored: "maybe" is no boolean');
  });
});

describe('the rules of up', { timeout: 90_000 }, () => {
  it('choose ports at random unless that is turned off', async () => {
    await node.cli('up', '--once', '--ip-masq');
    expect(await saved()).toContain('-j MASQUERADE --random-fully');
    await node.cli('up', '--once', '--ip-masq', '--ip-masq-fully-random-disable');
    expect(await saved()).toMatch(/-j MASQUERADE$/m);
    expect(await saved()).not.toContain('--random-fully');
  });

  it('are not there when they are not wanted', async () => {
    await node.cli('up', '--once', '--ip-masq=true');
    expect(await saved()).toMatch(/FLANNEL-FWD/);
    await node.cli('up', '--once', '-iptables-forward-rules=false');
    expect(await saved()).not.toContain('FLANNEL');
  });

  it('are looked at as often as --iptables-resync says', async () => {
    agent = await node.up({ flags: ['--iptables-resync=1'] });
    await eventually(async () => expect(await saved()).toContain('FLANNEL-FWD'), 5000);
    await node.namespace.run('iptables -F FORWARD');
    await eventually(async () => expect(await saved()).toContain('-A FORWARD'), 4500);
  });
});

describe('--ip-blackhole-route', { timeout: 90_000 }, () => {
  const routes = async () => (await node.lines('ip route show')).join('\n');

  it('keeps a route to nowhere for the subnet of the node, and down removes it', async () => {
    agent = await node.up({ flags: ['--ip-blackhole-route'] });
    const subnet = await subnetOf(node);
    expect(await routes()).toContain(`blackhole ${subnet}`);
    await node.namespace.run(`ip route del blackhole ${subnet}`);
    await eventually(async () => expect(await routes()).toContain(`blackhole ${subnet}`), 3000);
    await eventually(async () => expect(await readFile(node.stateFile, 'utf8')).toContain('"told"'), 8000);
    expect((await node.cli('status')).exitCode).toBe(0);
    agent.signal('SIGTERM');
    await agent.ended;
    expect((await node.cli('down')).stdout).toContain(`removed route ${subnet}`);
    expect(await routes()).not.toContain('blackhole');
  });

  it('makes way for a bridge, which the kernel would put behind it', async () => {
    agent = await node.up({ flags: ['--ip-blackhole-route'] });
    const subnet = await subnetOf(node);
    await eventually(async () => expect(await routes()).toContain(`blackhole ${subnet}`), 3000);
    await node.namespace.run('ip link add cni0 type bridge');
    await node.namespace.run('ip link set cni0 up');
    await node.namespace.run(`ip addr add ${subnet.replace('.0/', '.1/')} dev cni0`);
    await eventually(async () => expect(await routes()).not.toContain('blackhole'), 12_000);
    expect(await routes()).toContain(`${subnet} dev cni0`);
    await node.namespace.run('ip link del cni0');
  });

  it('is not there without the flag', async () => {
    await node.cli('up', '--once');
    expect(await routes()).not.toContain('blackhole');
  });
});

describe('the health server of up', { timeout: 90_000 }, () => {
  it('listens at --healthz-ip and nowhere else', async () => {
    agent = await node.up({ flags: ['--healthz-ip=127.0.0.1', '--healthz-port=8091'] });
    expect(await node.lines('curl -s http://127.0.0.1:8091/healthz')).toEqual(['ok']);
    expect(await node.lines('curl -s http://192.168.9.1:8091/healthz')).toEqual([]);
  });

  it('may listen at an IPv6 address', async () => {
    agent = await node.up({ flags: ['--healthz-ip=::1', '--healthz-port=8091'] });
    expect(await node.lines('curl -s http://[::1]:8091/readyz')).toEqual(['ready']);
  });
});

describe('--subnet-lease-renew-margin', { timeout: 90_000 }, () => {
  it.each(['0', '1440'])('is refused at %s, as flanneld refuses it', async (minutes) => {
    const { exitCode, stderr } = await node.cli('up', `--subnet-lease-renew-margin=${minutes}`);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining('--subnet-lease-renew-margin')]);
  });
});

describe('--cni-conf', { timeout: 90_000 }, () => {
  const path = () => join(node.namespace.directory, '10-flannel.conflist');
  const OF_ANOTHER = '{"name":"cilium","cniVersion":"0.3.1","plugins":[{"type":"cilium-cni"}]}';

  it('writes flannel’s configuration, keeps it, and down removes it', async () => {
    agent = await node.up({ flags: [`--cni-conf=${path()}`] });
    const written = await readFile(path(), 'utf8');
    expect(JSON.parse(written)).toMatchObject({
      name: 'cbr0',
      plugins: [{ type: 'flannel', subnetFile: node.subnetFile }, {}],
    });
    await node.namespace.run(`rm ${path()}`);
    await node.namespace.run('ip addr flush dev flannel.1');
    await eventually(async () => expect(await readFile(path(), 'utf8')).toBe(written), 12_000);
    await eventually(async () => expect(await readFile(node.stateFile, 'utf8')).toContain('"conflist"'), 8000);
    agent.signal('SIGTERM');
    await agent.ended;
    agent = await node.up({ flags: [`--cni-conf=${path()}`] });
    await eventually(async () => expect(await readFile(node.stateFile, 'utf8')).toContain('"conflist"'), 8000);
    agent.signal('SIGTERM');
    await agent.ended;
    expect((await node.cli('down')).stdout).toContain(`removed ${path()}`);
    await expect(readFile(path(), 'utf8')).rejects.toThrow('ENOENT');
  });

  it('leaves the file of another plugin alone, and is not ready', async () => {
    await writeFile(path(), OF_ANOTHER);
    agent = await node.up({ flags: [`--cni-conf=${path()}`, '--healthz-port=8091'] });
    await eventually(
      async () =>
        expect(await node.lines('curl -s http://127.0.0.1:8091/readyz')).toEqual([
          `${path()} is left alone: it is not of flannel`,
        ]),
      5000,
    );
    agent.signal('SIGTERM');
    await agent.ended;
    expect(await readFile(path(), 'utf8')).toBe(OF_ANOTHER);
    expect((await node.cli('down', `--cni-conf=${path()}`)).stdout).toContain(`left ${path()}`);
    expect(await readFile(path(), 'utf8')).toBe(OF_ANOTHER);
    await node.namespace.run(`rm ${path()}`);
  });

  it('is shown by a dry run and written by --once', async () => {
    expect((await dryRun(`--cni-conf=${path()}`)).changes).toContain(`+ file ${path()}`);
    await expect(readFile(path(), 'utf8')).rejects.toThrow('ENOENT');
    await node.cli('up', '--once', `--cni-conf=${path()}`);
    expect((await dryRun(`--cni-conf=${path()}`)).changes).toContain(`= file ${path()}`);
    await node.cli('down', `--cni-conf=${path()}`);
    await expect(readFile(path(), 'utf8')).rejects.toThrow('ENOENT');
  });
});
