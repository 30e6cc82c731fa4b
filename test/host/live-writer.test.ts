import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ifThere } from '../../src/facts/read-if-there.ts';
import { liveHost, liveWriter } from '../../src/host/live.ts';
import { sysctlPath } from '../../src/host/live-kernel.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const writer = liveWriter({ root: '/' });

describe('writing a file', () => {
  it('makes its directories and gives it its mode, whatever the umask', async () => {
    const directory = await temporaryDirectory();
    const before = process.umask(0o077);
    await writer.writeFile(join(directory, 'a/b/subnet.env'), 'X=1\n');
    process.umask(before);
    expect((await stat(join(directory, 'a/b/subnet.env'))).mode & 0o777).toBe(0o644);
  });

  it('leaves nothing else behind', async () => {
    const directory = await temporaryDirectory();
    await writer.writeFile(join(directory, 'file'), 'one');
    await writer.writeFile(join(directory, 'file'), 'two', { mode: 0o600 });
    expect([await readdir(directory), await readFile(join(directory, 'file'), 'utf8')]).toEqual([['file'], 'two']);
  });

  it('replaces a link instead of writing where it leads', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'victim'), 'whole');
    await symlink('victim', join(directory, 'file'));
    await writer.writeFile(join(directory, 'file'), 'new');
    expect(await readFile(join(directory, 'victim'), 'utf8')).toBe('whole');
  });

  it('puts no file in the place of a pipe or a device', async () => {
    const path = join(await temporaryDirectory(), 'pipe');
    await promisify(execFile)('mkfifo', [path]);
    await expect(writer.writeFile(path, 'x')).rejects.toMatchObject({ exitCode: 73 });
    expect((await stat(path)).isFIFO()).toBe(true);
  });

  it('changes nothing where it cannot', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'file'));
    await expect(writer.writeFile(join(directory, 'file'), 'x')).rejects.toMatchObject({ exitCode: 73 });
    expect(await readdir(directory)).toEqual(['file']);
  });

  it('stays below the root of another host', async () => {
    const outside = await temporaryDirectory();
    const root = join(outside, 'host');
    await mkdir(join(root, 'etc'), { recursive: true });
    await symlink(outside, join(root, 'etc/out'));
    await liveWriter({ root }).writeFile('/etc/out/file', 'x');
    expect(await readdir(outside)).toEqual(['host']);
  });
});

describe('creating a file', () => {
  it('is a conflict when it is there', async () => {
    const path = join(await temporaryDirectory(), 'lock');
    await writer.createFile(path, 'first');
    await expect(writer.createFile(path, 'second')).rejects.toMatchObject({ code: 'conflict' });
    expect(await readFile(path, 'utf8')).toBe('first');
  });

  it('succeeds for one of many at the same time', async () => {
    const path = join(await temporaryDirectory(), 'lock');
    const results = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => writer.createFile(path, String(n))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('removing a path', () => {
  it('takes a directory with all it holds, and no error when it is not there', async () => {
    const directory = await temporaryDirectory();
    await writer.writeFile(join(directory, 'a/b/c'), '');
    await writer.remove(join(directory, 'a'));
    await writer.remove(join(directory, 'a'));
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('the path of a sysctl', () => {
  it.each([
    ['net.ipv4.ip_forward', '/proc/sys/net/ipv4/ip_forward'],
    ['net.ipv4.conf.flannel.1.rp_filter', '/proc/sys/net/ipv4/conf/flannel.1/rp_filter'],
    ['net.ipv4.conf.flannel/1.rp_filter', '/proc/sys/net/ipv4/conf/flannel.1/rp_filter'],
    ['net.bridge.bridge-nf-call-iptables', '/proc/sys/net/bridge/bridge-nf-call-iptables'],
  ])('of %s is %s', (name, path) => {
    expect(sysctlPath(name)).toBe(path);
  });

  it.each(['net.ipv4.conf.//.x', 'net..ip_forward', 'a/../../b', 'kernel.x y'])('refuses %j', (name) => {
    expect(() => sysctlPath(name)).toThrow(/is no sysctl name/);
  });

  it('is written in place', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'proc/sys/net/ipv4'), { recursive: true });
    await writeFile(join(root, 'proc/sys/net/ipv4/ip_forward'), '0\n');
    await liveWriter({ root }).writeSysctl('net.ipv4.ip_forward', '1');
    expect(await readFile(join(root, 'proc/sys/net/ipv4/ip_forward'), 'utf8')).toBe('1\n');
  });

  it('is absent where the kernel has no such setting', async () => {
    await expect(writer.writeSysctl('net.ipv4.fctl_nothing', '1')).rejects.toMatchObject({ code: 'absent' });
  });
});

describe('a program that outlives us', () => {
  it('runs under the name it is given, writes its log, and ends by a signal', async () => {
    const log = join(await temporaryDirectory(), 'log');
    const script = 'echo "$NODE_NAME"; exec sleep 60';
    const options = { argv0: 'flanneld', logFile: log, env: { PATH: '/usr/bin:/bin', NODE_NAME: 'worker-1' } };
    const { pid } = await writer.spawn(['sh', '-c', script], options);
    await expect.poll(() => readFile(log, 'utf8')).toBe('worker-1\n');
    await writer.signal(pid, 'SIGTERM');
    await expect.poll(() => isGone(pid)).toBe(true);
  });

  it('is named when it is not installed', async () => {
    await expect(writer.spawn(['fctl-nothing'])).rejects.toMatchObject({ reason: 'missing-tool' });
  });
});

describe('a signal', () => {
  it('finds nobody', async () => {
    await expect(writer.signal(4194305, 'SIGTERM')).rejects.toMatchObject({ code: 'absent' });
  });

  it.each([0, -1, 1, 1.5, Number.NaN])('is never sent to %d', async (pid) => {
    await expect(writer.signal(pid, 'SIGTERM')).rejects.toThrow(RangeError);
  });

  it('is not sent to a pid of another pid namespace', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'proc'));
    await symlink('1', join(root, 'proc/self'));
    await expect(liveWriter({ root }).signal(4194305, 'SIGTERM')).rejects.toMatchObject({ reason: 'unsupported' });
  });
});

async function isGone(pid: number): Promise<boolean> {
  const stat = await ifThere(liveHost({ root: '/' }).readFile(`/proc/${pid}/stat`));
  return stat === undefined || stat.includes(') Z ');
}
