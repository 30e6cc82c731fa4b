import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { collect, EXECUTABLE } from '../leases/lab.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';

// An etcd that goes silent while a command waits for it, and somebody who presses Ctrl-C.

const PREFIX = '/coreos.com/network';
const KEY = `${PREFIX}/subnets/10.244.7.0-24`;
const VALUE = '{"PublicIP":"192.0.2.7"}';

let etcd: EtcdServer;
let proxy: TcpProxy;
let folder: string;
let backup: string;
beforeAll(async () => {
  etcd = await startEtcd();
  folder = await mkdtemp(join(tmpdir(), 'fctl-stop-'));
  backup = join(folder, 'backup.json');
  await etcd.ctl('put', `${PREFIX}/config`, '{"Network":"10.244.0.0/16"}');
  await etcd.ctl('put', KEY, VALUE);
  await collect(EXECUTABLE, ['leases', 'backup', backup, '--etcd-endpoints', etcd.endpoint]);
});
afterAll(async () => {
  await etcd.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  proxy = await startProxy(etcd.port);
  await etcd.ctl('put', KEY, VALUE);
});
afterEach(() => proxy.close());

/** Sent when `isDue` is first true of what the command has sent; etcd is silent from then on. */
async function interrupt(args: readonly string[], isDue: (sent: string) => boolean) {
  const child = spawn(EXECUTABLE, [...args, '--etcd-endpoints', `http://127.0.0.1:${proxy.port}`]);
  const due = Promise.withResolvers<void>();
  proxy.spy((bytes) => {
    if (!isDue(bytes.toString('latin1'))) return;
    proxy.set('stalled');
    due.resolve();
  });
  const said = text(child.stdout);
  const ended = once(child, 'exit');
  await due.promise;
  // long enough for whatever is on its way to be under way
  await new Promise((resolve) => setTimeout(resolve, 300));
  const startedAt = performance.now();
  child.kill('SIGINT');
  const [code] = await ended;
  return { code, stdout: await said, tookMs: performance.now() - startedAt };
}

const anything = () => true;
/** Without a signal each of them waits for eight seconds; with one, for 0.2 on a machine that is not busy. */
const SOON_MS = 2000;

describe('a command that waits for a silent etcd', () => {
  it.each([
    ['leases list', []],
    ['leases show', ['10.244.7.0/24']],
    ['leases prune', ['--yes']],
    ['leases release', ['10.244.7.0/24', '--yes']],
    ['leases backup', ['-']],
    ['leases restore', ['BACKUP']],
    ['config get', []],
    ['config set', ['CONFIG', '--yes']],
  ])('ends at once with 130: %s', async (command, args) => {
    const config = join(folder, 'config.json');
    await writeFile(config, '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}');
    const files: Readonly<Record<string, string>> = { BACKUP: backup, CONFIG: config, '-': join(folder, 'new.json') };
    const given = args.map((arg) => files[arg] ?? arg);
    const { code, tookMs } = await interrupt([...command.split(' '), ...given], anything);
    expect(code).toBe(130);
    expect(tookMs).toBeLessThan(SOON_MS);
  });

  it('says of a record that was being put back that nobody knows', async () => {
    await etcd.ctl('del', KEY);
    const isPut = (sent: string) => sent.includes('PublicIP');
    const { code, stdout, tookMs } = await interrupt(['leases', 'restore', backup, '-o', 'json'], isPut);
    expect(JSON.parse(stdout)).toMatchObject({ complete: false });
    expect(stdout).toContain('it is not known whether 10.244.7.0-24 was put back');
    expect([code, tookMs < SOON_MS]).toEqual([130, true]);
  });

  it('says of a lease that was being deleted that nobody knows, and where it is kept', async () => {
    const isDeletion = (sent: string) => /(subnets\/10\.244\.7\.0-24.*){2}/s.test(sent);
    const args = ['leases', 'prune', '--subnet', '10.244.7.0/24', '--force', '--yes', '--backup-dir', folder];
    const { code, stdout, tookMs } = await interrupt([...args, '-o', 'json'], isDeletion);
    const result = JSON.parse(stdout);
    expect(result.failed).toMatchObject([{ message: expect.stringContaining('not known whether 10.244.7.0-24 was') }]);
    expect(await readFile(result.backup, 'utf8')).toContain('10.244.7.0-24');
    expect([code, tookMs < SOON_MS]).toEqual([130, true]);
  });
});
