import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseUnit } from '../../src/facts/unit-file.ts';
import { eventually, type Lab, type LabNode, makeLab } from './lab.ts';

const FLANNELCTL = fileURLToPath(new URL('../../dist/flannelctl', import.meta.url));
const UNIT = fileURLToPath(new URL('../../packaging/systemd/flannelctl.service', import.meta.url));

/** What a service manager would listen with: Node has no datagram socket of the unix kind. One line a message. */
const LISTEN = `
$| = 1;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die;
bind($socket, sockaddr_un($ARGV[0])) or die;
print "listening\\n";
while (defined recv($socket, my $message, 4096, 0)) { print "$message\\n" }
`;

let lab: Lab;
let node: LabNode;
const children: ChildProcess[] = [];
beforeEach(async () => {
  lab = await makeLab(1);
  const [first] = lab.nodes;
  if (first === undefined) throw new Error('there is no node');
  node = first;
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await lab.remove();
});

interface Told {
  readonly at: number;
  readonly state: string;
}

/** The executable under something that listens as systemd does. */
async function underSystemd(environment: Readonly<Record<string, string>>) {
  const told: Told[] = [];
  const socket = join(node.namespace.directory, 'notify');
  const listener = spawn('perl', ['-MSocket', '-e', LISTEN, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  listener.stdout.on('data', (chunk) => {
    const states = String(chunk).split('\n');
    told.push(
      ...states
        .filter((state) => /^(READY|WATCHDOG|STOPPING)=1$|^listening$/.test(state))
        .map((state) => ({ at: Date.now(), state })),
    );
  });
  children.push(listener);
  await eventually(async () => expect(told).toHaveLength(1), 5000);
  const flags = ['--etcd-endpoints', 'http://192.168.9.254:2379', '--subnet-file', node.subnetFile];
  const argv = ['netns', 'exec', node.namespace.name, FLANNELCTL, 'up', ...flags, '--state-file', node.stateFile];
  const agent = spawn('ip', argv, { env: { ...process.env, NOTIFY_SOCKET: socket, ...environment }, stdio: 'ignore' });
  children.push(agent);
  const ended = new Promise<number | null>((resolve) => agent.once('exit', resolve));
  const of = (state: string) => told.filter((one) => one.state === state);
  return { told, of, agent, ended };
}

describe('the executable as a service of Type=notify', () => {
  it('tells that it is ready when the overlay is up, feeds the watchdog, and tells its end', {
    timeout: 60_000,
  }, async () => {
    const { of, told, agent, ended } = await underSystemd({ WATCHDOG_USEC: '2000000' });
    await eventually(async () => expect(of('READY=1')).toHaveLength(1), 20_000);
    expect(await node.lines('ip -o link show flannel.1')).toHaveLength(1);
    await eventually(async () => expect(of('WATCHDOG=1').length).toBeGreaterThan(4), 20_000);
    const fed = of('WATCHDOG=1').map(({ at }) => at);
    const longest = Math.max(...fed.slice(1).map((at, index) => at - (fed[index] ?? 0)));
    expect(longest).toBeLessThan(2000);
    agent.kill('SIGTERM');
    expect(await ended).toBe(0);
    await eventually(async () => expect(told.at(-1)?.state).toBe('STOPPING=1'), 5000);
  });

  it('is silent to a watchdog that is another process’s', { timeout: 60_000 }, async () => {
    const { of } = await underSystemd({ WATCHDOG_USEC: '200000', WATCHDOG_PID: '1' });
    await eventually(async () => expect(of('READY=1')).toHaveLength(1), 20_000);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(of('WATCHDOG=1')).toEqual([]);
  });

  it('never tells that it is ready when it cannot start', { timeout: 60_000 }, async () => {
    await lab.etcdctl('del /coreos.com/network/config');
    const { of, ended } = await underSystemd({});
    expect(await ended).not.toBe(0);
    expect(of('READY=1')).toEqual([]);
  });
});

describe('the unit that is shipped', () => {
  it('is one that systemd takes without a word', { timeout: 30_000 }, async () => {
    const verify = promisify(execFile)('systemd-analyze', ['verify', '--man=no', UNIT]);
    const { stderr } = await verify.catch((error: { stderr: string }) => error);
    // The program is not installed where it is tested.
    expect(stderr.split('\n').filter((line) => line !== '' && !/flannelctl is not executable/.test(line))).toEqual([]);
  });

  it('lets a child tell, because systemd-notify is one', async () => {
    const text = await readFile(UNIT, 'utf8');
    expect(text).toMatch(/^Type=notify$/m);
    expect(text).toMatch(/^NotifyAccess=all$/m);
    expect(parseUnit([text]).commands).toEqual(['/usr/local/bin/flannelctl up']);
  });
});
