import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { liveHost, liveWriter } from '../../src/host/live.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { fileStore, rawFileRecords } from '../../src/store/file.ts';
import type { LeaseAttributes } from '../../src/store/store.ts';
import { briefly, watching } from '../support/watching.ts';

const host = liveHost({ root: '/' });
const writer = liveWriter({ root: '/' });
const CONFIG = '{"Network":"10.9.0.0/20","Backend":{"Type":"vxlan"}}';
const nothing = { backendType: '', vtep: null, vtepV6: null, backendData: null, backendV6Data: null };
const attributes: LeaseAttributes = { publicIp: '192.0.2.1', publicIpv6: null, ...nothing };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-file-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function open(path = folder, clock = systemClock) {
  return fileStore({ selection: { kind: 'file', path }, host, writer, clock });
}

test('does not take a path that is not there for an empty store', async () => {
  await expect(open(join(folder, 'none')).listLeases()).rejects.toMatchObject({ reason: 'unreachable' });
});

test.each(['{', '[]', '{"version":2}', '{"version":1,"revision":1,"config":null,"records":{"a":{"value":7}}}'])(
  'says that %s is no such document',
  async (text) => {
    await writeFile(join(folder, 'leases.json'), text);
    await expect(open().listLeases()).rejects.toMatchObject({ reason: 'malformed' });
  },
);

test('writes leases.json into a directory, and a file of any name where one is given', async () => {
  await open().writeNetworkConfig(CONFIG, null);
  await open(join(folder, 'other.json')).writeNetworkConfig(CONFIG, null);
  expect(await readFile(join(folder, 'other.json'), 'utf8')).toBe(await readFile(join(folder, 'leases.json'), 'utf8'));
});

test('finds a directory behind a symbolic link', async () => {
  await open().writeNetworkConfig(CONFIG, null);
  await symlink(folder, `${folder}-link`);
  try {
    expect((await open(`${folder}-link`).readNetworkConfig()).text).toBe(CONFIG);
  } finally {
    await rm(`${folder}-link`);
  }
});

test('does not list a lease whose time is over', async () => {
  await open().writeNetworkConfig(CONFIG, null);
  await open().acquire({ attributes });
  const tomorrow = { ...systemClock, now: () => Date.now() + 86_400_001 };
  expect((await open(folder, tomorrow).listLeases()).records).toEqual([]);
});

test('takes over a lock that its holder left behind', async () => {
  const lock = join(folder, 'leases.json.lock');
  await writeFile(lock, 'dead');
  await utimes(lock, 1, 1);
  await open().writeNetworkConfig(CONFIG, null);
  await expect(host.stat(lock)).rejects.toMatchObject({ code: 'absent' });
});

test('waits for a lock that is held and then says which', async () => {
  const lock = join(folder, 'leases.json.lock');
  await writeFile(lock, 'alive');
  const failed = open().writeNetworkConfig(CONFIG, null);
  await expect(failed).rejects.toMatchObject({ reason: 'timeout', message: expect.stringContaining(lock) });
  expect(await readFile(lock, 'utf8')).toBe('alive');
});

test('loses nothing when five processes write at once', async () => {
  await open().writeNetworkConfig(CONFIG, null);
  const src = (path: string) => new URL(`../../src/${path}`, import.meta.url).href;
  const script = (id: number) => `
    import { liveHost, liveWriter } from '${src('host/live.ts')}';
    import { systemClock as clock } from '${src('host/system-clock.ts')}';
    import { rawFileRecords } from '${src('store/file.ts')}';
    const raw = rawFileRecords({ host: liveHost({ root: '/' }), writer: liveWriter({ root: '/' }), clock, path: '${folder}' });
    for (let n = 0; n < 10; n += 1) await raw.put('10.${id}.' + n + '.0-24', '{"PublicIP":"192.0.2.1"}');`;
  const run = (id: number) => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script(id)]);
  await Promise.all([1, 2, 3, 4, 5].map(run));
  expect((await open().listLeases()).records).toHaveLength(50);
});

test('keeps the time of a record that is overwritten raw', async () => {
  await open().writeNetworkConfig(CONFIG, null);
  const { key, expiresAt } = await open().acquire({ attributes });
  await rawFileRecords({ host, writer, clock: systemClock, path: folder }).put(key, '{"PublicIP":"192.0.2.2"}');
  expect((await open().listLeases()).records[0]?.expiresAt).toBe(expiresAt);
});

test('watches on when the file was away for a while, and says so', async () => {
  await open().writeNetworkConfig(CONFIG, null);
  const watch = watching(open());
  await watch.until((events) => events.length === 1);
  await rename(join(folder, 'leases.json'), join(folder, 'away'));
  await watch.until(() => watch.interruptions.length > 0);
  await rename(join(folder, 'away'), join(folder, 'leases.json'));
  await watch.until((events) => events.length === 2);
  expect(watch.events.map(briefly)).toEqual(['snapshot null 0', 'snapshot reconnected 0']);
  await watch.end();
});

test('takes a snapshot when another document was put in the place of the watched one', async () => {
  await open(join(folder, 'other.json')).writeNetworkConfig(CONFIG, null);
  await open().writeNetworkConfig(CONFIG, null);
  await open().acquire({ attributes });
  const watch = watching(open());
  await watch.until((events) => events.length === 1);
  await rename(join(folder, 'other.json'), join(folder, 'leases.json'));
  await watch.until((events) => events.length === 2);
  expect(watch.events.map(briefly)).toEqual(['snapshot null 1', 'snapshot replaced 0']);
  await watch.end();
});
