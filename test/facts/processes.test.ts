import { describe, expect, it } from 'vitest';
import { processesFact } from '../../src/facts/processes.ts';
import { collect, observe } from '../support/collect.ts';
import { forbidden, recordedHost } from '../support/recorded.ts';
import { ELSEWHERE, type ProcessParts, procWith } from '../support/recorded-process.ts';

const FLANNELD: ProcessParts = { pid: 812, argv: ['/opt/bin/flanneld', '--ip-masq'] };

function processesOf(...processes: readonly ProcessParts[]) {
  return collect(processesFact, { host: recordedHost(procWith(...processes)) });
}

describe('processes', () => {
  it('finds flanneld with its start time, state and unit', async () => {
    const [found] = await processesOf({ ...FLANNELD, cgroup: '/system.slice/flanneld.service', startTicks: 2500 });
    expect(found).toEqual({
      pid: 812,
      name: 'flanneld',
      argv: ['/opt/bin/flanneld', '--ip-masq'],
      state: 'S',
      startedAt: 1_025_000,
      cgroup: 'flanneld.service',
    });
  });

  it.each([
    ['a release named by its architecture', { pid: 5, argv: ['/usr/local/bin/flanneld-arm64'] }],
    ['a script run by a shell', { pid: 5, argv: ['/bin/sh', '/usr/local/bin/flanneld', '-v=1'] }],
    ['a script run by its first line', { pid: 5, argv: ['/bin/bash', '-e', './flanneld'], comm: 'flanneld' }],
    ['another program under that name', { pid: 5, argv: ['flanneld', '--ip-masq'], comm: 'sleep' }],
  ])('takes for flanneld %s', async (_, process) => {
    expect(await processesOf(process)).toMatchObject([{ name: 'flanneld' }]);
  });

  it.each([
    ['an editor on its file', { pid: 5, argv: ['vi', '/usr/bin/flanneld'] }],
    ['a search for its name', { pid: 5, argv: ['grep', 'flanneld'] }],
    ['a shell line that names it', { pid: 5, argv: ['sh', '-c', 'flanneld'], comm: 'sh' }],
    ['a zombie', { pid: 5, argv: [], comm: 'flanneld', state: 'Z' }],
    ['a flanneld of another network namespace', { ...FLANNELD, net: ELSEWHERE }],
  ])('does not take for flanneld %s', async (_, process) => {
    expect(await processesOf(process)).toEqual([]);
  });

  it('says that a stopped flanneld is stopped', async () => {
    expect(await processesOf({ ...FLANNELD, state: 'T' })).toMatchObject([{ state: 'T' }]);
  });

  it('reads the state behind a name with parentheses and spaces', async () => {
    expect(await processesOf({ ...FLANNELD, comm: 'a) R 1 (b', state: 'D' })).toMatchObject([{ state: 'D' }]);
  });

  it('recognises k3s by the title it writes over its arguments', async () => {
    expect(
      await processesOf({ pid: 9, argv: ['/usr/local/bin/k3s server', '', ''], comm: 'k3s-server' }),
    ).toMatchObject([{ name: 'k3s', argv: ['/usr/local/bin/k3s server'] }]);
  });

  it('sees the pod in a cgroup of the second version', async () => {
    const cgroup = '/kubepods.slice/kubepods-burstable.slice/cri-containerd-4f.scope';
    expect(await processesOf({ ...FLANNELD, cgroup })).toMatchObject([{ cgroup: 'kubepods' }]);
  });

  it.each([
    [
      ['flanneld', '--etcd-password=hunter2'],
      ['flanneld', '--etcd-password=[masked]'],
    ],
    [
      ['flanneld', '-etcd-password', 'hunter2', '-v=1'],
      ['flanneld', '-etcd-password', '[masked]', '-v=1'],
    ],
    [
      ['flanneld', '-etcd-endpoints=http://root:hunter2@e:1'],
      ['flanneld', '-etcd-endpoints=http://root:[masked]@e:1'],
    ],
    [
      ['k3s', 'agent', '-t', 'K10::x'],
      ['k3s', 'agent', '-t', '[masked]'],
    ],
    [
      ['k3s', 'agent', '--token-file', '/a'],
      ['k3s', 'agent', '--token-file', '/a'],
    ],
  ])('masks the secrets in %j', async (argv, masked) => {
    expect(await processesOf({ pid: 5, argv })).toMatchObject([{ argv: masked }]);
  });

  it('does not know whether a flanneld whose namespace is forbidden runs here', async () => {
    const host = recordedHost(procWith({ ...FLANNELD, net: forbidden('/proc/812/ns/net') }));
    expect(await observe(processesFact, { host })).toEqual({
      status: 'unknown',
      reason: 'permission',
      detail: 'whether flanneld (pid 812) runs in this network namespace cannot be read',
    });
  });

  it('does not call a flanneld absent that hidepid may hide', async () => {
    const { files, links } = procWith();
    const { '/proc/1/comm': _comm, '/proc/1/cmdline': _cmdline, ...rest } = files;
    const host = recordedHost({ files: rest, links, dirs: { '/proc': ['77', 'self', 'stat'] } });
    expect(await observe(processesFact, { host })).toMatchObject({ status: 'unknown', reason: 'permission' });
  });

  it('does not call a flanneld absent from a container that sees only its own processes', async () => {
    const { files, links } = procWith({ pid: 2, argv: ['sh'] });
    const host = recordedHost({ files: { ...files, '/proc/sys/net/core/netdev_budget': '300\n' }, links });
    expect(await observe(processesFact, { host })).toMatchObject({ status: 'unknown', reason: 'unsupported' });
  });

  it('leaves out a process that ends while it is read', async () => {
    const { files, links } = procWith(FLANNELD);
    const { '/proc/812/stat': _, ...rest } = files;
    expect(await collect(processesFact, { host: recordedHost({ files: rest, links }) })).toEqual([]);
  });

  it('does not know anything from an unmounted /proc', async () => {
    const host = recordedHost({ files: { '/proc/stat': 'btime 1\n' }, dirs: { '/proc': [] } });
    expect(await observe(processesFact, { host })).toMatchObject({ status: 'unknown', reason: 'unsupported' });
  });
});
