import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError, OutputError } from '../../src/errors.ts';
import { liveHost, liveWriter } from '../../src/host/live.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { formatBackup, type LeaseBackup, parseBackup } from '../../src/leases/backup.ts';
import { writeBackup } from '../../src/leases/backup-file.ts';
import { secondsLeft } from '../../src/leases/restore.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { NOW } from './builders.ts';

const BACKUP: LeaseBackup = {
  createdAt: NOW,
  clusterId: 'cdf818194e3a8c32',
  prefix: '/coreos.com/network',
  revision: '42',
  config: '{"Network":"10.244.0.0/16"}',
  records: [
    { key: '10.244.1.0-24', valueBase64: 'e30=', modRevision: '7', etcdLease: '694d7bca', ttlSeconds: 600 },
    { key: 'junk\\x1b[31m', valueBase64: '', modRevision: '8', etcdLease: null, ttlSeconds: null },
  ],
};
const tools = { host: liveHost({ root: '/' }), writer: liveWriter({ root: '/' }), clock: systemClock };

/** The text of a backup with something else in its place, and its sum made anew where it says so. */
function changed(change: (text: string) => string): () => LeaseBackup {
  return () => parseBackup(change(formatBackup(BACKUP)), 'b.json');
}

describe('a backup of leases', () => {
  it('reads as it was written', () => {
    expect(parseBackup(formatBackup(BACKUP), 'b.json')).toEqual(BACKUP);
  });

  it.each([
    ['truncated', (text: string) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['another document', () => '{"kind":"Secret"}'],
    ['a list', () => '[]'],
    ['changed by a hand', (text: string) => text.replace('"modRevision": "7"', '"modRevision": "9"')],
    ['of a later version', (text: string) => text.replace('dev/v1', 'dev/v9')],
    ['with a value that is not base64', (text: string) => text.replace('e30=', 'e30')],
    ['with members that nobody knows', (text: string) => text.replace('"prefix"', '"x": 1, "prefix"')],
  ])('is refused when it is %s', (_, change) => {
    expect(changed(change)).toThrow(InputError);
  });

  it.each(['/registry/secrets/default/token', '/coreos.com/network/config', '', 'a\u001bb', 'a\\q'])(
    'is refused with the key %j, which no listing has',
    (key) => {
      const [first] = BACKUP.records;
      const records = first === undefined ? [] : [{ ...first, key }];
      expect(() => parseBackup(formatBackup({ ...BACKUP, records }), 'b.json')).toThrow(InputError);
    },
  );

  it('is refused with one key twice', () => {
    const records = [...BACKUP.records, ...BACKUP.records];
    expect(() => parseBackup(formatBackup({ ...BACKUP, records }), 'b.json')).toThrow(/twice/);
  });

  it('is a file for its owner alone', async () => {
    const path = join(await temporaryDirectory(), 'deep/b.json');
    await writeBackup(tools, path, BACKUP);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(parseBackup(await tools.host.readFile(path), path)).toEqual(BACKUP);
  });

  it('larger than any other file that is read still reads back', async () => {
    const path = join(await temporaryDirectory(), 'b.json');
    const value = Buffer.alloc(10 << 20, 'x').toString('base64');
    const records = ['a', 'b'].map((key) => ({
      ...{ key, valueBase64: value, modRevision: '1', etcdLease: null, ttlSeconds: null },
    }));
    await expect(writeBackup(tools, path, { ...BACKUP, records })).resolves.toBeUndefined();
  });

  it('that cannot be written is an error of output', async () => {
    await expect(writeBackup(tools, '/proc/no/b.json', BACKUP)).rejects.toBeInstanceOf(OutputError);
  });

  it('that reads back as something else is an error of output', async () => {
    const path = join(await temporaryDirectory(), 'b.json');
    const host = { ...tools.host, readFile: async () => 'something else' };
    await expect(writeBackup({ ...tools, host }, path, BACKUP)).rejects.toBeInstanceOf(OutputError);
  });
});

describe('the time that a restored lease has', () => {
  const [timed, reservation] = BACKUP.records;
  const left = (ms: number) => (timed === undefined ? undefined : secondsLeft(timed, BACKUP, NOW + ms));

  it.each([
    [0, 600],
    [100_000, 500],
    [600_000, 0],
    [-50_000, 600],
  ])('is what the backup had less what has passed: after %i ms %i s', (ms, seconds) => {
    expect(left(ms)).toBe(seconds);
  });

  it('is none for a reservation', () => {
    expect(reservation && secondsLeft(reservation, BACKUP, NOW + 1e9)).toBeNull();
  });
});
