import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FlannelInstall } from '../../src/facts/flannel.ts';
import { liveWriter } from '../../src/host/live.ts';
import { runProgram } from '../../src/host/live-exec.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SOURCES = new URL('../../src/', import.meta.url).href;
const SUPPORT = new URL('../support/', import.meta.url).href;

/** A flanneld that only sleeps, in a network namespace of its own, on the real kernel. */
async function sleepingFlanneld(): Promise<{ readonly namespace: string; readonly pid: number }> {
  const namespace = `fctl-${process.pid}-${Math.random().toString(36).slice(2, 7)}`;
  const script = join(await temporaryDirectory(), 'flanneld');
  await writeFile(script, '#!/bin/sh\nwhile :; do sleep 1; done\n', { mode: 0o755 });
  await runProgram(['ip', 'netns', 'add', namespace]);
  onTestFinished(async () => void (await runProgram(['ip', 'netns', 'del', namespace])));
  const argv = [
    'ip',
    'netns',
    'exec',
    namespace,
    script,
    '-etcd-endpoints=file:///tmp/leases.json',
    '--ip-masq',
  ] as const;
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', FLANNELD_ETCD_PREFIX: '/lab', FLANNELD_IFACE: 'eth0' };
  const writer = liveWriter({ root: '/' });
  const { pid } = await writer.spawn(argv, { env });
  onTestFinished(() => writer.signal(pid, 'SIGKILL'));
  return { namespace, pid };
}

/** What the fact says when asked in a namespace, perhaps by somebody without rights. */
async function discoverIn(namespace: string, uid = 0): Promise<Partial<FlannelInstall> & { readonly reason?: string }> {
  const program = `
    import { liveHost } from '${SOURCES}host/live.ts';
    import { flannelFact } from '${SOURCES}facts/flannel.ts';
    import { observe } from '${SUPPORT}collect.ts';
    const observed = await observe(flannelFact, { host: liveHost({ root: '/' }) });
    process.stdout.write(JSON.stringify(observed.status === 'known' ? observed.value : observed));`;
  const node = ['setpriv', `--reuid=${uid}`, '--clear-groups', process.execPath, '--input-type=module', '-e', program];
  const { stdout, stderr } = await runProgram(['ip', 'netns', 'exec', namespace, ...node], { timeoutMs: 20_000 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('discovery on a real kernel', () => {
  it('finds the flanneld of its own network namespace with flags and environment', { timeout: 30_000 }, async () => {
    const { namespace, pid } = await sleepingFlanneld();
    await expect
      .poll(() => discoverIn(namespace), { timeout: 15_000 })
      .toMatchObject({
        deployment: 'process',
        process: { pid, name: 'flanneld' },
        datastore: { kind: 'file', path: '/tmp/leases.json' },
        options: { etcdPrefix: '/lab', iface: ['eth0'], ipMasq: true },
      });
  });

  it('does not find the flanneld of another one', { timeout: 30_000 }, async () => {
    await sleepingFlanneld();
    const other = `fctl-${process.pid}-other`;
    await runProgram(['ip', 'netns', 'add', other]);
    onTestFinished(async () => void (await runProgram(['ip', 'netns', 'del', other])));
    expect(await discoverIn(other)).toMatchObject({ process: null });
  });

  it('does not tell a user without rights that there is none', { timeout: 30_000 }, async () => {
    const { namespace } = await sleepingFlanneld();
    await expect.poll(() => discoverIn(namespace, 65534), { timeout: 15_000 }).toMatchObject({ reason: 'permission' });
  });
});
