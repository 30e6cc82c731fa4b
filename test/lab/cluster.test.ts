import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentPairs } from '../../src/drill/pods.ts';
import {
  alone,
  type Lab,
  LIST_MOUNTS,
  machineState,
  nodeOf,
  openLab,
  processesOf,
  TELL_LEFTOVERS,
} from './drill-lab.ts';

const state = (lab: Lab) => `/run/flannelctl/drill/${lab.record.tag}`;

describe('a drill of three nodes', () => {
  let lab: Lab;
  const node = (index: number) => nodeOf(lab, index);

  beforeAll(async () => {
    lab = await openLab();
  });
  afterAll(() => lab.remove());

  it('carries packets between the pods of every two nodes', async () => {
    expect(await silentPairs(lab.nodes)).toEqual([]);
  });

  it('loses them when the overlay of one node is down', async () => {
    await node(1).must(['ip', 'link', 'set', 'flannel.1', 'down']);
    const silent = await silentPairs(lab.nodes, 1);
    await node(1).must(['ip', 'link', 'set', 'flannel.1', 'up']);
    await node(1).stopFlanneld();
    await node(1).startFlanneld();
    expect(silent).toEqual([
      { from: 1, to: 2 },
      { from: 1, to: 3 },
    ]);
  });

  it('runs flanneld under its name with its arguments', async () => {
    const pid = (await node(2).must(['pidof', 'flanneld'])).trim();
    expect(await node(2).readFile(`/proc/${pid}/comm`)).toBe('flanneld\n');
    expect((await node(2).readFile(`/proc/${pid}/cmdline`)).split('\0').slice(0, -1)).toEqual([
      '/opt/bin/flanneld',
      `--etcd-endpoints=file://${state(lab)}/store`,
      '--etcd-prefix=/coreos.com/network',
      '--iface=eth0',
      '--iptables-forward-rules=false',
      '--subnet-file=/run/flannel/subnet.env',
    ]);
  });

  it('leaves drift drifted: flanneld programs once', async () => {
    await node(1).must(['ip', 'route', 'del', node(2).subnet]);
    await sleep(500);
    const routes = await node(1).must(['ip', 'route', 'show', node(2).subnet]);
    await node(1).must(['ip', 'route', 'add', node(2).subnet, 'via', '10.244.2.0', 'dev', 'flannel.1', 'onlink']);
    expect(routes).toBe('');
  });

  it('ends flanneld by SIGTERM, leaves the overlay in place and no zombie', async () => {
    await node(3).stopFlanneld();
    const left = await node(3).exec(['pidof', 'flanneld']);
    const zombies = await node(3).must(['sh', '-c', 'grep -l "^State:.Z" /proc/[0-9]*/status || true']);
    const silent = await silentPairs(lab.nodes);
    await node(3).startFlanneld();
    expect({ left: left.exitCode, zombies, silent }).toEqual({ left: 1, zombies: '', silent: [] });
  });

  it('gives every node processes of its own, and a name', async () => {
    const pids = await node(1).must(['sh', '-c', 'ls -d /proc/[0-9]*']);
    expect(pids).toContain('/proc/1\n');
    expect(pids.split('\n').length).toBeLessThan(12);
    expect((await node(1).must(['uname', '-n'])).trim()).toBe(`node1-${lab.record.tag}`);
  });

  it('shows a node the devices of its own network in /sys', async () => {
    const devices = await node(1).must(['ls', '/sys/class/net']);
    expect(devices.trim().split('\n')).toEqual(['cni0', 'eth0', 'flannel.1', 'lo', 'vethpod0']);
  });

  it.each(['/run', '/etc', '/opt/cni', '/opt/cni/bin', '/var/lib/cni', '/var/lib/flannelctl', '/var/log'])(
    'keeps what a node writes to %s from this machine and from its peers',
    async (folder) => {
      const path = `${folder}/flannelctl-drill-${lab.record.tag}`;
      await node(1).writeFile(path, 'written in a node');
      expect(await node(1).readFile(path)).toBe('written in a node');
      expect(existsSync(path)).toBe(false);
      expect((await node(2).exec(['cat', path])).exitCode).toBe(1);
    },
  );

  it('keeps rules, sysctls, devices and the name of a node from this machine', async () => {
    const before = machineState();
    await node(1).must(['iptables', '-I', 'INPUT', '-p', 'udp', '--dport', '8472', '-j', 'DROP']);
    await node(1).must(['nft', 'add', 'table', 'inet', 'drill']);
    await node(1).must(['sh', '-c', 'echo 0 >/proc/sys/net/ipv4/ip_forward']);
    await node(1).must(['ip', 'link', 'add', 'stray', 'type', 'bridge']);
    const during = machineState();
    await node(1).must(['iptables', '-F', 'INPUT']);
    await node(1).must(['nft', 'delete', 'table', 'inet', 'drill']);
    await node(1).must(['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
    await node(1).must(['ip', 'link', 'del', 'stray']);
    expect(during).toEqual(before);
  });

  it.each(['/proc/sys/vm/swappiness', '/proc/sys/kernel/hostname', '/sys/class/net/eth0/mtu'])(
    'does not let a node write %s, which is not all its own',
    async (path) => {
      const { exitCode } = await node(1).exec(['sh', '-c', 'cat "$1" >"$1"', 'sh', path]);
      expect(exitCode).not.toBe(0);
    },
  );

  it('does not follow a symbolic link of a node out of it', async () => {
    await node(1).must(['ln', '-sf', '/run/outside', '/etc/inside']);
    await node(1).writeFile('/etc/inside', 'x');
    expect(existsSync('/run/outside')).toBe(false);
  });

  it('runs beside another drill with the same addresses', async () => {
    const other = await openLab({ nodes: 2 });
    const silent = [...(await silentPairs(other.nodes)), ...(await silentPairs(lab.nodes))];
    await other.remove();
    expect(silent).toEqual([]);
    expect(await silentPairs(lab.nodes)).toEqual([]);
    expect(existsSync(state(other))).toBe(false);
  });
});

describe('a drill with etcd', () => {
  it('keeps its leases there, and no pod is out of reach', async () => {
    const lab = await openLab({ nodes: 2, store: 'etcd' });
    const argv = ['env', 'ETCDCTL_API=3', 'etcdctl', '--endpoints=http://192.168.10.1:2379', 'get', '--prefix'];
    const keys = await nodeOf(lab, 1).must(['env', ...argv.slice(1), '--keys-only', '/coreos.com/network/']);
    const silent = await silentPairs(lab.nodes);
    await lab.remove();
    expect(keys.split('\n').filter((line) => line !== '')).toEqual([
      '/coreos.com/network/config',
      '/coreos.com/network/subnets/10.244.1.0-24',
      '/coreos.com/network/subnets/10.244.2.0-24',
    ]);
    expect(silent).toEqual([]);
  });
});

describe('the end of a drill', () => {
  const mounts = `mounts=$(${LIST_MOUNTS})\n`;

  it('leaves no process, mount or directory', () => {
    const script = '"$flannelctl" drill up --nodes 2 --store etcd >/dev/null && "$flannelctl" drill down >/dev/null';
    expect(alone(`${mounts}${script}\n${TELL_LEFTOVERS}`)).toBe('');
  });

  it('is told by the leftovers of one that has not ended', () => {
    const told = alone(`${mounts}"$flannelctl" drill up --nodes 2 >/dev/null\n${TELL_LEFTOVERS}`);
    expect(told).toContain('flannelctl\n');
    expect(told).toContain('holder.sh');
    expect(told).toContain('/opt/bin/flanneld --etcd-endpoints');
  });

  it.each(['0.03', '0.1', '0.2', '0.3', '0.4', '0.5'])(
    'comes with down --all when up was killed after %s s',
    (seconds) => {
      const script = `"$flannelctl" drill up --nodes 4 >/dev/null 2>&1 & up=$!
sleep ${seconds}
kill -KILL $up
wait $up
"$flannelctl" drill down --all >/dev/null`;
      expect(alone(`${mounts}${script}\n${TELL_LEFTOVERS}`)).not.toMatch(/drill|holder|flanneld|mounts differ/);
    },
  );

  it.each([
    ['INT', 130],
    ['TERM', 143],
  ])('comes at once when SIG%s interrupts up', (name, code) => {
    const script = `"$flannelctl" drill up --nodes 6 >/dev/null 2>&1 & up=$!
until [ -d /run/flannelctl/drill ]; do sleep 0.01; done
kill -${name} $up
wait $up
echo $?`;
    expect(alone(`${mounts}${script}\n${TELL_LEFTOVERS}`)).toBe(`${code}\n`);
  });

  it('does not end a process that has the pid of a holder and is another one', async () => {
    const lab = await openLab({ nodes: 2 });
    const bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
    const path = `${state(lab)}/cluster.json`;
    const forged = readFileSync(path, 'utf8').replaceAll(/"pid": \d+/g, `"pid": ${bystander.pid}`);
    await lab.tools.writer.writeFile(path, forged);
    await lab.remove();
    const isAlive = bystander.exitCode === null && bystander.signalCode === null;
    bystander.kill('SIGKILL');
    expect(isAlive).toBe(true);
    expect(processesOf(lab.record.tag)).toEqual([]);
  });
});
