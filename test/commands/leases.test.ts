import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { collect, EXECUTABLE } from '../leases/lab.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { freePort } from '../support/free-port.ts';

// The executable against a real etcd. This host is no node of the overlay: nobody can be asked over vxlan from here.

const PREFIX = '/coreos.com/network';
const CONFIG = '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}';

let etcd: EtcdServer;
let folder: string;

beforeAll(async () => {
  etcd = await startEtcd({ flags: ['--max-request-bytes', String(20 << 20)] });
  folder = await mkdtemp(join(tmpdir(), 'fctl-leases-'));
});
afterAll(async () => {
  await etcd.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await etcd.ctl('del', '--prefix', PREFIX);
  await etcd.ctl('put', `${PREFIX}/config`, CONFIG);
});

const run = (...args: readonly string[]) => collect(EXECUTABLE, [...args, '--etcd-endpoints', etcd.endpoint]);
const json = async (...args: readonly string[]) => JSON.parse((await run(...args, '-o', 'json')).stdout);
const keyOf = (name: string) => `${PREFIX}/subnets/${name}`;
const keys = async () =>
  (await etcd.ctl('get', '--prefix', '--keys-only', keyOf(''))).split('\n').filter((line) => line !== '');

function value(number: number, more: object = {}): string {
  const data = { VNI: 1, VtepMAC: `02:00:00:00:00:0${number}` };
  const base = { PublicIP: `198.51.100.${number}`, PublicIPv6: null, BackendType: 'vxlan', BackendData: data };
  return JSON.stringify({ ...base, ...more });
}

/** `10.244.N.0-24`; `ttl` null: none. */
async function put(number: number, ttl: number | null = 86_400, text: string = value(number)): Promise<void> {
  const lease = ttl === null ? [] : ['--lease', (await etcd.ctl('lease', 'grant', String(ttl))).split(' ')[1] ?? ''];
  await etcd.ctl('put', ...lease, keyOf(`10.244.${number}.0-24`), text);
}

describe('leases list', () => {
  it('has the columns of a table, one row a lease', async () => {
    await put(1);
    const { code, stdout } = await run('leases', 'list');
    const [head, row, ...more] = stdout.trimEnd().split('\n');
    expect(head?.split(/ {2,}/)).toEqual(['SUBNET', 'PUBLIC IP', 'BACKEND', 'VTEP MAC', 'EXPIRES', 'NODE', 'STATE']);
    expect(row).toMatch(/^10\.244\.1\.0\/24 +198\.51\.100\.1 +vxlan +02:00:00:00:00:01 +2[34]h\d\dm +- +live$/);
    expect([code, more]).toEqual([0, []]);
  });

  it('is a document with every member of a lease', async () => {
    await put(1);
    await put(2, null);
    const list = await json('leases', 'list');
    expect(list).toMatchObject({ apiVersion: 'flannelctl.dev/v1', kind: 'LeaseList', prefix: PREFIX });
    expect(list.clusterId).toMatch(/^[0-9a-f]+$/);
    const [first, second] = list.items;
    expect(Object.keys(first)).toEqual([
      ...['key', 'subnet', 'ipv6Subnet', 'publicIP', 'publicIPv6', 'backendType', 'backendData', 'ttlSeconds'],
      ...['etcdLease', 'modRevision', 'node', 'states'],
    ]);
    expect(first).toMatchObject({ key: '10.244.1.0-24', backendData: { VNI: 1 }, node: null, states: ['live'] });
    expect(first.ttlSeconds).toBeGreaterThan(86_000);
    expect(second).toMatchObject({ ttlSeconds: null, etcdLease: null, states: ['reservation'] });
  });

  it('leaves the time out that was not asked for, and says nothing of it', async () => {
    await put(1);
    const { items } = await json('leases', 'list', '--no-ttl');
    expect(items).toMatchObject([{ states: [] }]);
    expect(items[0]).not.toHaveProperty('ttlSeconds');
  });

  it('shows only leases of the wanted state', async () => {
    await put(1);
    await put(2, null);
    expect((await run('leases', 'list', '--state', 'reservation', '-o', 'name')).stdout).toBe('10.244.2.0/24\n');
  });

  it.each([
    [['--state', 'dead'], /no state "dead"/],
    [['--state', 'live', '--no-ttl'], /without its TTL/],
    [['-o', 'xml'], /-o takes text, wide, json, yaml, name/],
    [['--timeout', 'soon'], /takes a duration/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await run('leases', 'list', ...args);
    expect([code, message.test(stderr)]).toEqual([64, true]);
  });

  it('says what is missing, and explains no flag that was not given', async () => {
    const { code, stderr } = await run('leases', 'show');
    expect([code, stderr.includes('Missing 1 required arg'), stderr.includes('--iface')]).toEqual([64, true, false]);
  });

  it.each([['/coreos.com/network/'], ['//coreos.com/./network']])(
    'takes the prefix %s as flannel does',
    async (prefix) => {
      await put(1);
      const { items } = await json('leases', 'list', '--etcd-prefix', prefix);
      expect(items).toHaveLength(1);
    },
  );

  it('takes a prefix without its leading slash for another place, as flannel does, and says so', async () => {
    await put(1);
    const bare = ['--etcd-prefix', 'coreos.com/network'];
    const { code, stdout, stderr } = await run('leases', 'list', ...bare, '-o', 'json');
    expect([code, JSON.parse(stdout).items]).toEqual([0, []]);
    expect(stderr).toContain('at coreos.com/network/config, a key without a slash in front');
    const missing = await run('config', 'get', ...bare);
    expect([missing.code, missing.stderr.includes('did you mean /coreos.com/network?')]).toEqual([3, true]);
    await etcd.ctl('put', 'coreos.com/network/subnets/10.244.9.0-24', value(9));
    expect((await json('leases', 'list', ...bare)).items).toHaveLength(1);
    await etcd.ctl('del', 'coreos.com/network/subnets/10.244.9.0-24');
  });

  it('is empty where nothing is stored, and exits 0', async () => {
    const { code, stdout } = await run('leases', 'list', '--etcd-prefix', '/nobody', '-o', 'json');
    expect([code, JSON.parse(stdout).items]).toEqual([0, []]);
  });

  it('names the endpoint that nobody listens on, and exits 69', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout } = await collect(EXECUTABLE, ['leases', 'list', '-o', 'json', '--etcd-endpoints', endpoint]);
    expect([code, JSON.parse(stdout).error.message]).toEqual([69, expect.stringContaining(endpoint)]);
  });

  it('gives up on an endpoint that is silent when --timeout is over', async () => {
    etcd.pause();
    const startedAt = performance.now();
    const { code, stderr } = await run('leases', 'list', '--timeout', '2s');
    etcd.resume();
    expect([code, stderr.includes(etcd.endpoint), performance.now() - startedAt < 3500]).toEqual([69, true, true]);
  });

  it('lets no value paint the terminal', async () => {
    const isPainted = (text: string) => ['\u001b', '\u009b', '\u202e'].some((character) => text.includes(character));
    const paint = '\u001b[31m\u009b31m\u202e';
    await etcd.ctl('put', keyOf(`junk${paint}`), paint);
    await put(2, 86_400, value(2, { BackendType: `vx${paint}`, BackendData: { x: paint } }));
    for (const args of [
      ['list', '-o', 'wide'],
      ['list', '-o', 'json'],
      ['list', '-o', 'yaml'],
      ['show', '10.244.2.0/24'],
    ]) {
      const { code, stdout, stderr } = await run('leases', ...args);
      expect([code, isPainted(stdout + stderr)]).toEqual([0, false]);
    }
  });

  it('stands values of 10 MB', async () => {
    const [key, large] = [keyOf('10.244.3.0-24'), value(3, { BackendData: 'x'.repeat(10 << 20) })].map((text) =>
      Buffer.from(text).toString('base64'),
    );
    // etcdctl itself sends no more than 2 MB
    await fetch(`${etcd.endpoint}/v3/kv/put`, { method: 'POST', body: JSON.stringify({ key, value: large }) });
    const { code, stdout } = await run('leases', 'list');
    expect([code, stdout.split('\n')[1]]).toEqual([0, expect.stringMatching(/^10\.244\.3\.0\/24 .*reservation$/)]);
  });
});

describe('leases show', () => {
  it('shows one lease as a document of its own', async () => {
    await put(1);
    expect(await json('leases', 'show', '198.51.100.1')).toMatchObject({ kind: 'Lease', key: '10.244.1.0-24' });
  });

  it('says that there is none', async () => {
    expect(await run('leases', 'show', '10.244.9.0/24')).toMatchObject({ code: 3, stdout: '' });
  });
});

describe('leases prune', () => {
  const prune = (...args: readonly string[]) => run('leases', 'prune', '--backup-dir', folder, ...args);
  const junk = (name = 'junk') => etcd.ctl('put', keyOf(name), 'junk');

  it('has nothing to do and asks nobody', async () => {
    await put(1);
    expect(await prune()).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing is to be deleted') });
  });

  it('needs --yes without a terminal, and deletes nothing then', async () => {
    await junk();
    expect([(await prune()).code, (await keys()).length]).toEqual([64, 1]);
  });

  it('deletes a key that flannel refuses, with --yes', async () => {
    await put(1);
    await junk();
    expect([(await prune('--yes')).code, await keys()]).toEqual([0, [keyOf('10.244.1.0-24')]]);
  });

  it.each([['/slash'], [`${PREFIX}/subnets/twice`], ['subnets/more'], ['a\\b']])(
    'deletes the refused key %j, and no other, and puts it back',
    async (name) => {
      await junk(name);
      const { backup } = JSON.parse((await prune('--yes', '-o', 'json')).stdout);
      expect(await keys()).toEqual([]);
      expect(await etcd.ctl('get', `${PREFIX}/config`)).toContain('10.244.0.0/16');
      expect((await run('leases', 'restore', backup)).code).toBe(0);
      expect(await keys()).toEqual([keyOf(name)]);
    },
  );

  it('stops a plan that is larger than --max, with the flag to pass', async () => {
    await junk('a');
    await junk('b');
    const { code, stderr } = await prune('--yes');
    expect([code, stderr.includes('--max 2'), (await keys()).length]).toEqual([64, true, 2]);
    expect([(await prune('--yes', '--max', '2')).code, await keys()]).toEqual([0, []]);
  });

  it('never takes the configuration for a lease', async () => {
    await prune('--yes', '--max', '100');
    expect(await etcd.ctl('get', `${PREFIX}/config`)).toContain('10.244.0.0/16');
  });

  it('keeps an overdue lease whose owner cannot be asked from here', async () => {
    await put(1, 60);
    expect([(await prune('--yes')).code, (await keys()).length]).toEqual([0, 1]);
  });

  it('deletes a named reservation', async () => {
    await put(1, null, 'whatever');
    expect([(await prune('--subnet', '10.244.1.0/24', '--yes')).code, await keys()]).toEqual([0, []]);
  });

  it('refuses what is no subnet', async () => {
    expect((await prune('--subnet', 'worker-1', '--yes')).code).toBe(64);
  });

  it('deletes nothing when the backup cannot be written', async () => {
    await junk();
    const { code } = await run('leases', 'prune', '--yes', '--backup-dir', '/proc/nowhere');
    expect([code, (await keys()).length]).toEqual([73, 1]);
  });

  it('tells its plan in Chinese too', async () => {
    await junk();
    expect((await prune('--dry-run', '--lang', 'zh')).stdout).toContain('flannel 自身的解析器拒绝该键');
  });
});

describe('leases backup and restore', () => {
  const backup = async (name = 'all.json') => {
    const path = join(folder, name);
    expect((await run('leases', 'backup', path)).code).toBe(0);
    return path;
  };
  const read = (path: string) => readFileSync(path, 'utf8');
  const written = (text: string) => {
    const path = join(folder, 'changed.json');
    writeFileSync(path, text);
    return path;
  };

  it('put every key back as it was', async () => {
    await put(1);
    await put(2, null, 'junk');
    const path = await backup();
    await etcd.ctl('del', '--prefix', keyOf(''));
    expect((await run('leases', 'restore', path)).code).toBe(0);
    const { items } = await json('leases', 'list');
    expect(items).toMatchObject([{ states: ['live'] }, { ttlSeconds: null, value: 'junk' }]);
    expect(items[0].ttlSeconds).toBeGreaterThan(86_000);
  });

  it('take nobody’s place, say who is there, and exit 75', async () => {
    await put(1);
    const path = await backup();
    await etcd.ctl('del', keyOf('10.244.1.0-24'));
    await put(5, 86_400, value(1));
    const { code, stdout } = await run('leases', 'restore', path);
    expect([code, stdout.includes('10.244.5.0-24'), (await keys()).length]).toEqual([75, true, 1]);
  });

  it('leave alone what is there already', async () => {
    await put(1);
    const report = await json('leases', 'restore', await backup());
    expect(report).toMatchObject({ exitCode: 0, items: [{ result: 'present' }] });
  });

  it.each([
    ['truncated', (text: string) => text.slice(0, 200)],
    ['of another cluster', (text: string) => text.replace(/"clusterId": "[^"]*"/, '"clusterId": "1"')],
    ['foreign', () => '{"kind":"List"}'],
  ])('refuse a file that is %s, and write nothing', async (_, change) => {
    await put(1);
    const path = written(change(read(await backup())));
    await etcd.ctl('del', '--prefix', keyOf(''));
    expect([(await run('leases', 'restore', path)).code, await keys()]).toEqual([65, []]);
  });

  it('refuse a backup of another prefix, and take it with --force', async () => {
    await put(1);
    const path = await backup();
    const other = ['--etcd-prefix', '/other'];
    expect((await run('leases', 'restore', path, ...other)).code).toBe(65);
    expect((await run('leases', 'restore', path, ...other, '--force')).code).toBe(0);
    expect(await etcd.ctl('get', '--prefix', '--keys-only', '/other/')).toContain('/other/subnets/10.244.1.0-24');
    await etcd.ctl('del', '--prefix', '/other');
  });

  it('exit 65 without a file', async () => {
    expect((await run('leases', 'restore', join(folder, 'none.json'))).code).toBe(65);
  });
});
