import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DrillNode } from '../../src/drill/fault.ts';
import { first, flannelctl, PAINT, putConfig, putLease, report, rootsOf, shell, TRACE } from './doctor-lab.ts';
import { type Lab, openLab } from './drill-lab.ts';

const SUBNET_FILE = '/run/flannel/subnet.env';

let lab: Lab;
let node: DrillNode;
let store: { readonly path: string; readonly text: string };
let subnetEnv: string;

beforeAll(async () => {
  lab = await openLab({ nodes: 2 });
  node = first(lab);
  const path = `/run/flannelctl/drill/${lab.record.tag}/store/leases.json`;
  store = { path, text: await lab.tools.host.readFile(path) };
  subnetEnv = await node.readFile(SUBNET_FILE);
});
afterAll(() => lab.remove());

const restore = async () => {
  await lab.tools.writer.writeFile(store.path, store.text, { mode: 0o600 });
  await node.must(['rm', '-rf', SUBNET_FILE]);
  await node.writeFile(SUBNET_FILE, subnetEnv);
};

const lease = (publicIp: unknown, mac: unknown, type: unknown = 'vxlan') =>
  JSON.stringify({ PublicIP: publicIp, BackendType: type, BackendData: { VNI: 1, VtepMAC: mac } });

const HOSTILE: readonly (readonly [what: string, key: string, value: string])[] = [
  ['a command behind the public IP', '10.244.51.0-24', lease('10.0.0.1; rm -rf /', 'ae:88:83:29:8c:51')],
  ['a second line in the MAC', '10.244.52.0-24', lease('192.168.10.52', 'ae:88:83:29:8c:52\nroute del default')],
  ['colours in the backend', '10.244.53.0-24', lease('192.168.10.53', 'ae:88:83:29:8c:53', 'vx\u001b[31mlan\u202e')],
  ['options for fields', '10.244.54.0-24', lease('-batch', '-force', '-details')],
  ['a MAC of many', '10.244.55.0-24', lease('192.168.10.55', 'ff:ff:ff:ff:ff:ff')],
  ['a public IP of many', '10.244.56.0-24', lease('224.0.0.1', '01:00:5e:00:00:01')],
  ['a command in the key', '10.244.57.0-24;reboot', lease('192.168.10.57', 'ae:88:83:29:8c:57')],
  ['a second line in the key', '10.244.58.0-24\nroute flush', lease('192.168.10.58', 'ae:88:83:29:8c:58')],
  ['the title of the terminal in the key', 'x\u001b]0;owned\u0007', '{}'],
  ['a path in the key', '../../etc/passwd', '{}'],
  ['junk for a value', '10.244.59.0-24', 'junk {{{'],
  ['control characters for a value', '10.244.60.0-24', '\u001b[31m\u0000\n'],
  ['an array for a value', '10.244.61.0-24', '[]'],
  ['nothing for a value', '10.244.62.0-24', ''],
  ['10 MB of one field', '10.244.63.0-24', lease('A'.repeat(10_000_000), 'ae:88:83:29:8c:63')],
];

describe('leases that nobody in their right mind wrote', () => {
  beforeEach(async () => {
    for (const [, key, value] of HOSTILE) await putLease(lab, key, value);
  });
  afterEach(restore);

  it('do not keep doctor from judging everything else', async () => {
    await node.must(['ip', 'route', 'del', '10.244.2.0/24']);
    const found = await report(node, '--probe', 'passive');
    await node.must(['ip', 'route', 'add', '10.244.2.0/24', 'via', '10.244.2.0', 'dev', 'flannel.1', 'onlink']);
    expect(rootsOf(found)).toContain('route-missing');
    expect(found.checks.filter(({ status }) => status === 'unknown')).toEqual([]);
  });

  it('neither paint the terminal nor begin a line', async () => {
    const { stdout, stderr } = await flannelctl(node, 'doctor');
    expect(stdout).not.toMatch(PAINT);
    expect(stderr).toBe('');
    expect(stdout).not.toMatch(/^(route|10\.0\.0\.1|reboot|owned)/m);
  });

  it('put nothing into a batch: what up would do is what the good leases say', async () => {
    await node.stopFlanneld();
    const argv = ['up', '--once', '--dry-run', '--iface', 'eth0', '--etcd-endpoints'];
    const { stdout, stderr } = await flannelctl(node, ...argv, `file://${store.path.replace('/leases.json', '')}`);
    await node.startFlanneld();
    // the stand-in writes no packet filter rules, which up would
    const lines = stdout.split('\n').filter((line) => /^[+=-] (ip|bridge) /.test(line));
    expect(lines.filter((line) => line.startsWith('='))).toEqual(lines);
    expect(lines.length).toBeGreaterThan(4);
    expect(stdout + stderr).not.toMatch(PAINT);
  });
});

describe('a subnet file', () => {
  afterEach(restore);
  const judged = async (content: string) => {
    await node.writeFile(SUBNET_FILE, content);
    return report(node, 'process', '--probe', 'passive');
  };

  it.each([
    ['of words', 'rm -rf /\n\u001b[31mRED\n=\n==\n\u0000\u0000\n'],
    ['with commands behind its values', 'FLANNEL_SUBNET=10.244.1.1/24; reboot\nFLANNEL_NETWORK=$(reboot)\n'],
    ['that is empty', ''],
    ['of 1 MB without an end of line', 'A'.repeat(1_000_000)],
  ])('%s is incomplete, and is told of in one harmless line', async (_what, content) => {
    const found = await judged(content);
    const check = found.checks.find(({ id }) => id === 'subnet-env-incomplete');
    expect(check?.status).toBe('fail');
    expect(check?.summary).not.toMatch(PAINT);
    expect(check?.summary.length).toBeLessThan(1000);
  });

  it.each([
    ['a directory', 'mkdir'],
    ['a pipe that nobody writes to', 'mkfifo'],
    ['a link to itself', `ln -s ${SUBNET_FILE}`],
    ['a link to an endless device', 'ln -s /dev/zero'],
  ])('that is %s leaves open what depends on it, and names it', async (_what, make) => {
    await shell(node, `rm ${SUBNET_FILE}; ${make} ${SUBNET_FILE}`);
    const found = await report(node, 'process', '--probe', 'passive');
    expect(found.verdict).toEqual({ status: 'undetermined', exitCode: 2 });
    expect(found.checks.find(({ id }) => id === 'subnet-env-stale')?.unknown?.detail).toContain(SUBNET_FILE);
  });
});

describe('a network configuration', () => {
  afterEach(restore);

  it.each([
    ['junk'],
    [''],
    ['null'],
    ['[]'],
    ['{}'],
    ['{"Network":"10.244.0.0/16"}'],
    ['{"Network":"10.244.0.0/16","Backend":{}}'],
    ['{"Network":"10.244.0.0/16; reboot","Backend":{"Type":"vxlan"}}'],
    ['{"Network":"10.244.0.0/16","Backend":{"Type":"\\u001b[31mx\\ny"}}'],
    ['{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","VNI":99999999999}}'],
    ['{"Network":"10.244.0.0/16","Backend":"vxlan"}'],
  ])('%s is never called healthy, and paints nothing', async (config) => {
    await putConfig(lab, config);
    const { exitCode, stdout, stderr } = await flannelctl(node, 'doctor', '--probe', 'passive');
    expect([1, 2]).toContain(exitCode);
    expect(stdout).not.toMatch(PAINT);
    expect(stderr).not.toMatch(TRACE);
  });

  it.each([['junk'], ['{}'], ['{"version":1}']])('in a store that is %s leaves the leases open', async (text) => {
    await lab.tools.writer.writeFile(store.path, text, { mode: 0o600 });
    const found = await report(node, '--probe', 'passive');
    expect(found.verdict.exitCode).toBe(2);
    expect(found.checks.find(({ id }) => id === 'lease-expired')?.unknown?.detail).toContain(store.path);
  });
});
