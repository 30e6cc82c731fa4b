import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { collect, EXECUTABLE } from '../leases/lab.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';

const KEY = '/coreos.com/network/config';
const STORED = '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}';

let etcd: EtcdServer;
let folder: string;
beforeAll(async () => {
  etcd = await startEtcd();
  folder = await mkdtemp(join(tmpdir(), 'fctl-config-'));
});
afterAll(async () => {
  await etcd.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await etcd.ctl('del', '--prefix', '/coreos.com');
  await etcd.ctl('put', KEY, STORED);
});

const run = (...args: readonly string[]) => collect(EXECUTABLE, [...args, '--etcd-endpoints', etcd.endpoint]);
const set = (text: string, ...args: readonly string[]) => run('config', 'set', file(text), ...args);
const validate = (text: string, ...args: readonly string[]) =>
  collect(EXECUTABLE, ['config', 'validate', file(text), ...args]);
const stored = async () => (await etcd.ctl('get', '--print-value-only', KEY)).trimEnd();

function file(text: string): string {
  const path = join(folder, 'net-conf.json');
  writeFileSync(path, text);
  return path;
}

describe('config get', () => {
  it('prints the configuration as it is stored', async () => {
    expect(await run('config', 'get')).toMatchObject({ code: 0, stdout: `${STORED}\n` });
  });

  it('prints as a document what flannel makes of it', async () => {
    const document = JSON.parse((await run('config', 'get', '-o', 'json')).stdout);
    expect(document).toMatchObject({ kind: 'NetworkConfig', valid: true, config: JSON.parse(STORED) });
    expect(document.effective).toMatchObject({ subnetLen: 24, subnetMin: '10.244.1.0' });
  });

  it('exits 3 where there is none', async () => {
    expect((await run('config', 'get', '--etcd-prefix', '/nobody')).code).toBe(3);
  });
});

describe('config validate', () => {
  it.each([
    ['no JSON', '{"Network":'],
    ['a backend that flannel does not have', '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlann"}}'],
    ['a byte order mark', `\ufeff${STORED}`],
    ['a network without its length', '{"Network":"10.244.0.0"}'],
    ['a number in quotes', '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","VNI":"1"}}'],
    ['a network that is too small', '{"Network":"10.244.0.0/29"}'],
    ['a SubnetMin that is not on a boundary', '{"Network":"10.244.0.0/16","SubnetMin":"10.244.1.7"}'],
    ['no network at all', '{}'],
  ])('refuses %s with 65', async (_, text) => {
    expect((await validate(text)).code).toBe(65);
  });

  it('warns that flannel takes udp where there is no Backend, and exits 0', async () => {
    expect(await validate('{"Network":"10.244.0.0/16"}')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('udp'),
    });
  });

  it('is one document with -o json, also of what is refused', async () => {
    const { code, stdout } = await validate('{}', '-o', 'json');
    expect([code, JSON.parse(stdout)]).toMatchObject([65, { valid: false, problems: ['Network is missing'] }]);
  });
});

describe('config set', () => {
  const NEXT = '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","DirectRouting":true}}';

  it('shows what changes and stores it with --yes', async () => {
    const { code, stdout } = await set(NEXT, '--yes');
    expect([code, stdout.split('\n')[0], await stored()]).toEqual([0, '+ Backend.DirectRouting true', NEXT]);
  });

  it('needs --yes without a terminal', async () => {
    expect([(await set(NEXT)).code, await stored()]).toEqual([64, STORED]);
  });

  it('stores nothing when it is only a dry run', async () => {
    expect([(await set(NEXT, '--dry-run')).code, await stored()]).toEqual([0, STORED]);
  });

  it('stores nothing that flannel would refuse', async () => {
    expect([(await set('{"Network":"10.244.0.0/29"}', '--yes')).code, await stored()]).toEqual([65, STORED]);
  });

  it('has nothing to do when it is stored already', async () => {
    expect((await set(`${STORED}\n`)).code).toBe(0);
  });

  it('refuses to strand a lease, and does it with --force', async () => {
    await etcd.ctl('put', '/coreos.com/network/subnets/10.244.7.0-24', '{"PublicIP":"198.51.100.7"}');
    const other = STORED.replace('10.244', '10.96');
    const refused = await set(other, '--yes');
    expect([refused.code, refused.stderr.includes('10.244.7.0/24'), await stored()]).toEqual([64, true, STORED]);
    expect([(await set(other, '--yes', '--force')).code, await stored()]).toEqual([0, other]);
  });

  it('stores the first one where there is none', async () => {
    await etcd.ctl('del', KEY);
    expect([(await set(STORED, '--yes')).code, await stored()]).toEqual([0, STORED]);
  });
});
