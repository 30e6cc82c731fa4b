import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DrillNode } from '../../src/drill/fault.ts';
import { document, EXECUTABLE, first, flannelctl, inNode, report, rootsOf, shell, TRACE } from './doctor-lab.ts';
import { type Lab, openLab } from './drill-lab.ts';

const ENDPOINT = 'http://192.168.10.1:2379';
const SILENCED = `nft add table inet silence
nft add chain inet silence output '{ type filter hook output priority 0; }'
nft add rule inet silence output ip daddr 192.168.10.1 tcp dport 2379 drop`;

let lab: Lab;
let node: DrillNode;

beforeAll(async () => {
  lab = await openLab({ nodes: 2, store: 'etcd' });
  node = first(lab);
});
afterAll(() => lab.remove());

describe('an etcd that refuses', () => {
  const asked = () => report(node, '--probe', 'passive', '--etcd-endpoints', 'http://192.168.10.1:2399');

  it('is named with its reason in what depends on it', async () => {
    const { checks } = await asked();
    const detail = checks.find(({ id }) => id === 'lease-expired')?.summary;
    expect(detail).toContain('http://192.168.10.1:2399 refused the connection');
  });

  it('leaves the rest of the node judged', async () => {
    const { checks, verdict } = await asked();
    const passed = checks.filter(({ status }) => status === 'pass').map(({ id }) => id);
    expect(passed).toEqual(expect.arrayContaining(['flanneld-not-running', 'ip-forward-off', 'subnet-env-missing']));
    expect([1, 2]).toContain(verdict.exitCode);
  });
});

describe('an etcd that is silent', () => {
  beforeAll(async () => {
    await node.must(['sh', '-ec', SILENCED]);
  });
  afterAll(() => node.must(['nft', 'delete', 'table', 'inet', 'silence']));

  it.each([
    ['2s', 3000],
    ['5s', 6000],
  ])('does not keep doctor longer than --timeout %s', async (timeout, longestMs) => {
    const startedAt = performance.now();
    const { checks, verdict } = await report(node, '--timeout', timeout);
    expect(performance.now() - startedAt).toBeLessThan(longestMs);
    expect([1, 2]).toContain(verdict.exitCode);
    expect(checks.find(({ id }) => id === 'lease-expired')?.summary).toContain(`${ENDPOINT} did not answer within`);
  });

  it.each([
    ['INT', 130],
    ['TERM', 143],
  ])('waits no longer when SIG%s comes: what was found is told', async (name, code) => {
    await node.must(['rm', '-f', '/run/flannel/subnet.env']);
    const script = `trap - ${name}; flannelctl doctor -o json & doctor=$!; sleep 1; kill -${name} $doctor; wait $doctor`;
    const startedAt = performance.now();
    const ended = await inNode(node, ['bash', '-c', `PATH=${EXECUTABLE.replace('/flannelctl', '')}:$PATH; ${script}`]);
    const elapsedMs = performance.now() - startedAt;
    const found = document(ended);
    expect([ended.exitCode, found.run.complete, found.verdict.exitCode]).toEqual([code, false, code]);
    expect(found.host.name).toBe(`node1-${lab.record.tag}`);
    expect(rootsOf(found)).toContain('subnet-env-missing');
    expect(elapsedMs).toBeLessThan(4500);
    expect(ended.stderr).toBe('');
  });
});

describe('a prefix under which nothing is stored', () => {
  it.each([[[]], [['link']]])('is not called healthy by %j', async (names) => {
    const found = await report(
      node,
      ...names,
      '--probe',
      'passive',
      '--etcd-endpoints',
      ENDPOINT,
      '--etcd-prefix',
      '/no',
    );
    expect([1, 2]).toContain(found.verdict.exitCode);
  });

  it('is what the report says in text', async () => {
    const argv = ['doctor', 'link', '--probe', 'passive', '--etcd-endpoints', ENDPOINT, '--etcd-prefix', '/no'];
    const { stdout, stderr } = await flannelctl(node, ...argv, '-o', 'short');
    expect(stdout).toContain('no network configuration at /no/config');
    expect(stderr).not.toMatch(TRACE);
  });
});

describe('a run whose time is over', () => {
  afterEach(() => shell(node, 'nft delete table inet deaf'));

  it('tells what it has found and ends, though probes are still out', async () => {
    await shell(
      node,
      `nft add table inet deaf; nft add chain inet deaf o '{ type filter hook output priority 0; }'
nft add rule inet deaf o icmp type echo-request drop`,
    );
    await node.must(['bridge', 'fdb', 'flush', 'dev', 'flannel.1']);
    const startedAt = performance.now();
    const found = await report(node, '--timeout', '1s');
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(rootsOf(found)).toContain('fdb-missing');
  });
});
