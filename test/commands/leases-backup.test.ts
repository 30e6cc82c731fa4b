import { execFile } from 'node:child_process';
import { lstat, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { collect, EXECUTABLE } from '../leases/lab.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';

// Where a backup may go, and what is said of one that is put back. The executable against real servers.

const PREFIX = '/coreos.com/network';
const KEY = `${PREFIX}/subnets/10.244.1.0-24`;
const VALUE = '{"PublicIP":"198.51.100.1"}';

let etcd: EtcdServer;
let folder: string;
beforeAll(async () => {
  etcd = await startEtcd();
  folder = await mkdtemp(join(tmpdir(), 'fctl-backup-'));
});
afterAll(async () => {
  await etcd.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await etcd.ctl('del', '--prefix', PREFIX);
  await etcd.ctl('put', KEY, VALUE);
});

const run = (...args: readonly string[]) => collect(EXECUTABLE, ['leases', ...args, '--etcd-endpoints', etcd.endpoint]);
const backup = async (name: string) => {
  const path = join(folder, name);
  expect((await run('backup', path)).code).toBe(0);
  return path;
};

describe('a backup', () => {
  it('goes to standard output for -, as one document that can be put back', async () => {
    const { code, stdout } = await run('backup', '-');
    const path = join(folder, 'from-stdout.json');
    await writeFile(path, stdout);
    await etcd.ctl('del', KEY);
    expect([code, (await run('restore', path)).code]).toEqual([0, 0]);
    expect((await etcd.ctl('get', KEY)).trim().split('\n')).toEqual([KEY, VALUE]);
  });

  it('takes the place of no pipe and of no link', async () => {
    const [pipe, link] = [join(folder, 'pipe'), join(folder, 'link')];
    await promisify(execFile)('mkfifo', [pipe]);
    await symlink('/dev/null', link);
    for (const path of [pipe, link]) {
      const { code, stderr } = await run('backup', path);
      expect([code, stderr]).toEqual([73, expect.stringContaining(`${path} is no regular file`)]);
    }
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
  });

  it('is not put back into another cluster, unless that is forced', async () => {
    const path = await backup('elsewhere.json');
    const other = await startEtcd({ flags: ['--initial-cluster-token', 'another'] });
    const restore = (...more: readonly string[]) =>
      collect(EXECUTABLE, ['leases', 'restore', path, '--etcd-endpoints', other.endpoint, ...more]);
    const { code, stderr } = await restore();
    expect([code, stderr]).toEqual([65, expect.stringContaining('the backup is of the cluster')]);
    expect(await other.ctl('get', '--prefix', '--keys-only', '/')).toBe('');
    expect((await restore('--force')).code).toBe(0);
    await other.stop();
  });

  it('that would be put back is told as that, and nothing is written', async () => {
    const path = await backup('dry.json');
    await etcd.ctl('del', KEY);
    const { code, stdout } = await run('restore', path, '--dry-run');
    expect([code, stdout]).toEqual([
      0,
      'Would put back 1 lease; nothing was written.\n  + 10.244.1.0/24  would be put back\n',
    ]);
    expect(await etcd.ctl('get', KEY)).toBe('');
  });

  it('whose place is taken says once by whom', async () => {
    const path = await backup('taken.json');
    await etcd.ctl('del', KEY);
    await etcd.ctl('put', `${PREFIX}/subnets/10.244.9.0-24`, VALUE);
    const { code, stdout } = await run('restore', path);
    const why = '10.244.9.0-24 has its public IP 198.51.100.1';
    expect([code, stdout]).toEqual([75, `Put back 0 leases.\n  ! 10.244.1.0/24  not put back: ${why}\n`]);
  });

  it('leaves nothing behind where it cannot be written', async () => {
    const file = await backup('file.json');
    const before = await readdir(folder);
    expect((await run('backup', '--backup-dir', file)).code).toBe(73);
    expect((await run('backup', folder)).code).toBe(73);
    expect(await readdir(folder)).toEqual(before);
  });
});

describe('an etcd in which one may read and not write', () => {
  let guarded: EtcdServer;
  let path: string;
  const asReader = (...args: readonly string[]) =>
    collect(EXECUTABLE, [
      ...['leases', ...args, '--etcd-endpoints', guarded.endpoint],
      ...['--etcd-username', 'reader', '--etcd-password', 'reader'],
    ]);
  beforeAll(async () => {
    guarded = await startEtcd();
    await guarded.ctl('put', `${PREFIX}/subnets/junk`, 'x');
    path = join(folder, 'reader.json');
    await collect(EXECUTABLE, ['leases', 'backup', path, '--etcd-endpoints', guarded.endpoint]);
    for (const name of ['root', 'reader']) await guarded.ctl('user', 'add', `${name}:${name}`);
    await guarded.ctl('user', 'grant-role', 'root', 'root');
    await guarded.ctl('role', 'add', 'reader');
    await guarded.ctl('role', 'grant-permission', 'reader', '--prefix=true', 'read', PREFIX);
    await guarded.ctl('user', 'grant-role', 'reader', 'reader');
    await guarded.ctl('auth', 'enable');
  });
  afterAll(() => guarded.stop());

  const keys = () => guarded.ctl('--user', 'root:root', 'get', '--prefix', '--keys-only', PREFIX);

  it('keeps what a prune would delete, which exits 77', async () => {
    const { code, stdout } = await asReader('prune', '--yes', '--backup-dir', folder);
    expect([code, stdout]).toEqual([77, expect.stringContaining('does not permit this user')]);
    expect(await keys()).toContain('/subnets/junk');
  });

  it('is restored into by nobody without the right, and that exits 77', async () => {
    await guarded.ctl('--user', 'root:root', 'del', `${PREFIX}/subnets/junk`);
    const { code, stdout } = await asReader('restore', path);
    expect([code, stdout]).toEqual([77, expect.stringContaining('does not permit this user')]);
    expect(await keys()).toBe('');
  });
});
