import { chmod, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assertHostRoot, liveHost } from '../../src/host/live.ts';
import { runProgram } from '../../src/host/live-exec.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const here = liveHost({ root: '/' });

describe('files of this host', () => {
  it('are read from /proc, where they have no size', async () => {
    expect(await here.readFile('/proc/self/status')).toMatch(/^Name:/);
  });

  it('are absent where nothing is', async () => {
    await expect(here.readFile('/nothing/here')).rejects.toMatchObject({ code: 'absent' });
  });

  it('are absent below what is no directory', async () => {
    await expect(here.readFile('/etc/passwd/here')).rejects.toMatchObject({ code: 'absent' });
  });

  it('are absent when their process has ended', async () => {
    await expect(here.readLink('/proc/4194305/ns/net')).rejects.toMatchObject({ code: 'absent' });
  });

  it('cannot hold a reader by being a FIFO', async () => {
    const path = join(await temporaryDirectory(), 'fifo');
    await runProgram(['mkfifo', path]);
    await expect(here.readFile(path)).rejects.toMatchObject({ reason: 'unsupported' });
  });

  it('are malformed beyond 16 MiB', async () => {
    const path = join(await temporaryDirectory(), 'large');
    await writeFile(path, '');
    await truncate(path, 16 * 1024 * 1024 + 1);
    await expect(here.readFile(path)).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('are listed in order', async () => {
    const directory = await temporaryDirectory();
    await Promise.all(['b', 'a', 'c'].map((name) => writeFile(join(directory, name), '')));
    expect(await here.readDir(directory)).toEqual(['a', 'b', 'c']);
  });

  it('are described without following a link', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'file'), 'four');
    await chmod(join(directory, 'file'), 0o640);
    await symlink('file', join(directory, 'link'));
    expect([await here.stat(join(directory, 'file')), await here.stat(join(directory, 'link'))]).toMatchObject([
      { type: 'file', sizeBytes: 4, mode: 0o640 },
      { type: 'symlink' },
    ]);
  });

  it('are forbidden to who may not read them, which is not absent', async () => {
    const path = join(await temporaryDirectory(), 'secret');
    await writeFile(path, '', { mode: 0o600 });
    const script = `import { liveHost } from '${new URL('../../src/host/live.ts', import.meta.url).href}';
      process.setuid(65534);
      await liveHost({ root: '/' }).readFile('${path}').catch((error) => console.log(error.code));`;
    await chmod(join(path, '..'), 0o755);
    const { stdout } = await runProgram([process.execPath, '--input-type=module', '-e', script]);
    expect(stdout.trim()).toBe('permission');
  });
});

describe('files below the root of another host', () => {
  async function otherHost() {
    const outside = await temporaryDirectory();
    const root = join(outside, 'host');
    await mkdir(join(root, 'etc'), { recursive: true });
    await writeFile(join(outside, 'secret'), 'ours');
    await writeFile(join(root, 'etc/file'), 'theirs');
    return { root, outside, host: liveHost({ root }) };
  }

  it('are those of that host', async () => {
    const { host } = await otherHost();
    expect(await host.readFile('/etc/file')).toBe('theirs');
  });

  it('are found through a link that is absolute there', async () => {
    const { root, host } = await otherHost();
    await symlink('/etc', join(root, 'run'));
    expect(await host.readFile('/run/file')).toBe('theirs');
  });

  it('do not lead out by an absolute link', async () => {
    const { root, outside, host } = await otherHost();
    await symlink(join(outside, 'secret'), join(root, 'etc/link'));
    await expect(host.readFile('/etc/link')).rejects.toMatchObject({ code: 'absent' });
  });

  it('do not lead out by parents', async () => {
    const { root, host } = await otherHost();
    await symlink('../../../../../../secret', join(root, 'etc/link'));
    await expect(host.readFile('/etc/link')).rejects.toMatchObject({ code: 'absent' });
    await expect(host.readFile('/etc/../../secret')).rejects.toMatchObject({ code: 'absent' });
  });

  it('do not hold a reader in a circle of links', async () => {
    const { root, host } = await otherHost();
    await symlink('/etc/b', join(root, 'etc/a'));
    await symlink('/etc/a', join(root, 'etc/b'));
    await expect(host.readFile('/etc/a')).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('show a link as it is written', async () => {
    const { root, host } = await otherHost();
    await symlink('/somewhere/else', join(root, 'etc/link'));
    expect(await host.readLink('/etc/link')).toBe('/somewhere/else');
  });

  it('give the name and the distribution of that host', async () => {
    const { root, host } = await otherHost();
    await writeFile(join(root, 'etc/hostname'), 'worker-9\n');
    await writeFile(join(root, 'etc/os-release'), 'NAME="Rocky Linux"\nID="rocky"\nVERSION_ID="9.4"\n');
    expect(await host.identity()).toMatchObject({ hostname: 'worker-9', os: 'rocky 9.4', arch: process.arch });
  });
});

describe("a container's own files", () => {
  it('do not lead to ours by an absolute link', async () => {
    const root = await temporaryDirectory();
    const directory = join(root, 'proc/812/root/etc');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'passwd'), 'of the container');
    await symlink('/etc/passwd', join(directory, 'net-conf.json'));
    expect(await liveHost({ root }).readFile('/proc/812/root/etc/net-conf.json')).toBe('of the container');
  });
});

describe('the root of a host', () => {
  it('has an os-release', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'etc'));
    await writeFile(join(root, 'etc/os-release'), 'ID=debian\n');
    await expect(assertHostRoot(root)).resolves.toBeUndefined();
  });

  it.each(['/usr', '/var', '/nothing', '/etc/passwd'])('is not %s', async (root) => {
    await expect(assertHostRoot(root)).rejects.toMatchObject({ exitCode: 64 });
  });
});
