import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OutputError, UnavailableError } from '../../src/errors.ts';
import { liveHost, liveWriter } from '../../src/host/live.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { decodeDumped, type LeaseBackup, parseBackup } from '../../src/leases/backup.ts';
import { type Removal, type RemoveOptions, removeLeases } from '../../src/leases/remove.ts';
import { restoreLeases } from '../../src/leases/restore.ts';
import type { LeaseRecord, SubnetStore } from '../../src/store/store.ts';
import { attributesOf, type Bench, CONFIG, etcdBench } from '../support/store-benches.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const tools = { host: liveHost({ root: '/' }), writer: liveWriter({ root: '/' }), clock: systemClock };

let bench: Bench;
let store: SubnetStore;
beforeAll(async () => {
  bench = await etcdBench();
  store = await bench.open();
  await store.writeNetworkConfig(CONFIG, null);
});
afterAll(() => bench.close());

/** A lease that somebody took, and the removal that a plan would have of it. */
async function planned(publicIp: string): Promise<Removal> {
  const mac = `02:00:00:00:00:${publicIp.split('.').at(-1)?.padStart(2, '0')}`;
  const record = await store.acquire({ attributes: attributesOf(publicIp, { vtep: { vni: 1, mac } }) });
  return { record, ttlSeconds: 86_400, because: 'a test' };
}

async function remove(removals: readonly Removal[], more: Partial<RemoveOptions> = {}) {
  const directory = more.directory ?? (await temporaryDirectory());
  const base = {
    ...tools,
    store,
    directory,
    what: 'prune',
    signal: new AbortController().signal,
    say: () => undefined,
  };
  const outcome = await removeLeases(removals, { ...base, ...more });
  return { ...outcome, directory, keys: outcome.deleted.map(({ record }) => record.key) };
}

async function restore(backup: LeaseBackup, now: number, into = store) {
  const base = {
    store: into,
    backup,
    prefix: '/coreos.com/network',
    isForced: false,
    isDry: false,
    clock: systemClock,
  };
  return (await restoreLeases({ ...base, now, signal: new AbortController().signal })).restored;
}

const there = async ({ record }: Removal) => (await store.listLeases()).records.some(({ key }) => key === record.key);

function kept(record: LeaseRecord): Extract<LeaseRecord, { kind: 'lease' }> {
  if (record.kind !== 'lease') throw new TypeError('no lease');
  return record;
}

describe('deleting leases', () => {
  it('keeps what its owner renewed after the plan was made', async () => {
    const [renewed, gone] = [await planned('198.51.100.1'), await planned('198.51.100.2')];
    const lease = kept(renewed.record);
    await store.renew(lease, lease.attributes);
    const { changed, keys } = await remove([renewed, gone]);
    expect([changed.map(({ removal }) => removal), keys, await there(renewed)]).toEqual([
      [renewed],
      [gone.record.key],
      true,
    ]);
  });

  it('keeps what its owner renewed after the backup was written', async () => {
    const removal = await planned('198.51.100.3');
    const lease = kept(removal.record);
    const late: SubnetStore = {
      ...store,
      remove: async (...args) => {
        await store.renew(lease, lease.attributes);
        return store.remove(...args);
      },
    };
    const { changed, keys } = await remove([removal], { store: late });
    expect([changed.length, keys, await there(removal)]).toEqual([1, [], true]);
  });

  it('writes a backup of what goes, and only of that, before the first deletion', async () => {
    const removal = await planned('198.51.100.4');
    await planned('198.51.100.5');
    const { backup } = await remove([removal]);
    const { records } = parseBackup(await readFile(backup ?? '', 'utf8'), 'backup');
    expect(records.map((record) => kept(decodeDumped(record)).attributes.publicIp)).toEqual(['198.51.100.4']);
  });

  it('puts back from its backup what it deleted', async () => {
    const removal = await planned('198.51.100.6');
    const { backup } = await remove([removal]);
    const parsed = parseBackup(await readFile(backup ?? '', 'utf8'), 'backup');
    const restored = await restore(parsed, Date.now());
    expect([restored.map(({ result }) => result), await there(removal)]).toEqual([['restored'], true]);
  });

  it('puts nothing back whose time is over', async () => {
    const removal = await planned('198.51.100.7');
    const { backup } = await remove([removal]);
    const parsed = parseBackup(await readFile(backup ?? '', 'utf8'), 'backup');
    const restored = await restore(parsed, Date.now() + 86_401_000);
    expect([restored.map(({ result }) => result), await there(removal)]).toEqual([['expired'], false]);
  });

  it('puts back what it can beside a record that the store does not take', async () => {
    const removals = [await planned('198.51.100.16'), await planned('198.51.100.17')];
    const { backup } = await remove(removals);
    const parsed = parseBackup(await readFile(backup ?? '', 'utf8'), 'backup');
    const [large] = parsed.records.map(({ key }) => key);
    const tooLarge = new UnavailableError('malformed', 'etcd takes no request of that size');
    const picky: SubnetStore = {
      ...store,
      putBack: (record, ttl) => (record.key === large ? Promise.reject(tooLarge) : store.putBack(record, ttl)),
    };
    const restored = await restore(parsed, Date.now(), picky);
    expect(restored.map(({ result, message }) => [result, message])).toEqual([
      ['refused', tooLarge.message],
      ['restored', null],
    ]);
  });

  it('leaves a line of every deletion in the log beside the backups', async () => {
    const removal = await planned('198.51.100.8');
    const said: string[] = [];
    const { directory } = await remove([removal], { say: (line) => said.push(line) });
    const [opening, line] = (await readFile(join(directory, 'audit.log'), 'utf8')).trimEnd().split('\n');
    expect(opening).toMatch(/prune of 1 leases of etcd .* begins; backup /);
    expect(line).toMatch(
      /Z deleted 10\.244\.\d+\.0-24 \(198\.51\.100\.8, revision \d+, etcd lease [0-9a-f]+\): a test$/,
    );
    expect(said).toHaveLength(1);
  });

  it('deletes nothing when the log cannot be written', async () => {
    const removal = await planned('198.51.100.9');
    const writer = { ...tools.writer, appendFile: () => Promise.reject(new OutputError('no')) };
    await expect(remove([removal], { writer })).rejects.toBeInstanceOf(OutputError);
    expect(await there(removal)).toBe(true);
  });

  it('writes no backup when nothing is left to delete', async () => {
    const removal = await planned('198.51.100.10');
    await store.remove(removal.record);
    const { backup, changed, directory } = await remove([removal]);
    expect([backup, changed.length, await readdir(directory)]).toEqual([null, 1, []]);
  });

  it('tries no more after a deletion of which nobody knows what became', async () => {
    const removals = [await planned('198.51.100.11'), await planned('198.51.100.12')];
    const dead: SubnetStore = { ...store, remove: () => Promise.reject(new UnavailableError('timeout', 'no answer')) };
    const { failed, deleted } = await remove(removals, { store: dead });
    expect([failed.length > 0, deleted]).toEqual([true, []]);
  });

  it('deletes nothing more after a signal', async () => {
    const removal = await planned('198.51.100.13');
    const { untried } = await remove([removal], { signal: AbortSignal.abort('SIGINT') });
    expect([untried, await there(removal)]).toEqual([[removal], true]);
  });

  it('waits a moment and no longer for the deletion that is under way when a signal comes', async () => {
    const removal = await planned('198.51.100.14');
    const stop = new AbortController();
    const silent: SubnetStore = {
      ...store,
      remove: () => {
        stop.abort('SIGTERM');
        return new Promise(() => undefined);
      },
    };
    const { failed } = await remove([removal], { store: silent, signal: stop.signal });
    expect(failed[0]?.error).toMatchObject({
      exitCode: 143,
      message: `interrupted by SIGTERM: it is not known whether ${removal.record.key} was deleted`,
    });
  });

  it('knows what became of a deletion that ends just after the signal', async () => {
    const removal = await planned('198.51.100.15');
    const stop = new AbortController();
    const quick: SubnetStore = {
      ...store,
      remove: (...args) => {
        stop.abort('SIGINT');
        return store.remove(...args);
      },
    };
    expect((await remove([removal], { store: quick, signal: stop.signal })).keys).toEqual([removal.record.key]);
  });

  it('deletes a thousand keys in less than two seconds', async () => {
    const keys = Array.from({ length: 1000 }, (_, at) => `junk-${at}`);
    await Promise.all(keys.map((key) => bench.raw.put(key, 'junk')));
    const { records } = await store.listLeases();
    const removals = records
      .filter(({ kind }) => kind === 'malformed-key')
      .map((record) => ({ record, ttlSeconds: null, because: 'a test' }));
    const startedAt = performance.now();
    expect((await remove(removals)).deleted).toHaveLength(1000);
    expect(performance.now() - startedAt).toBeLessThan(2000 * SLACK);
  });
});

/** Suites run side by side on machines of all sizes; the benchmark holds the number itself. */
const SLACK = 4;
