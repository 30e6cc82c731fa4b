import { UnavailableError } from '../../src/errors.ts';
import { parseBackup } from '../../src/leases/backup.ts';
import type { BackupTools } from '../../src/leases/backup-file.ts';
import { etcdStore } from '../../src/store/etcd.ts';
import type { Lease, LeaseAttributes, SubnetStore } from '../../src/store/store.ts';
import { recordedHost } from '../support/recorded.ts';
import type { Deed, PruneDeed, RestoreDeed } from './deeds.ts';
import type { Mutant } from './mutants.ts';
import { turnedSession, type Wire } from './session.ts';

/** A node that holds a lease, or wants one. */
export interface Owner {
  readonly attributes: LeaseAttributes;
  readonly publicIp: string;
  /** How it renews: through our store; as flanneld does; with LeaseKeepAlive, which no revision tells of. */
  readonly style: 'ours' | 'flannel' | 'keep-alive';
  /** Whether it answers, and does anything at all. */
  isUp: boolean;
  /** As it last knew it. */
  lease: Lease | undefined;
  /** What its subnet.env holds. */
  previousSubnet: string | undefined;
}

/** One logical cluster below a prefix of its own, with all who write to it. */
export interface World extends Wire {
  readonly prefix: string;
  readonly mutant: Mutant;
  readonly owners: readonly Owner[];
  /** Backup files that were written, by path. */
  readonly files: Map<string, string>;
  readonly keptAlive: Map<string, { readonly at: number; readonly endsAt: number }[]>;
  /** What prune and restore said they had done; judged when the history is complete. */
  readonly claims: Claim[];
  readonly counts: Counts;
}

export interface Claim {
  readonly deed: PruneDeed | RestoreDeed;
  readonly key: string;
  readonly isDone: boolean;
}

/** What came to pass, so that a run in which nothing happened is not taken for one in which nothing went wrong. */
export type Counts = Map<string, number>;

export function count({ counts }: Pick<World, 'counts'>, what: string, times = 1): void {
  counts.set(what, (counts.get(what) ?? 0) + times);
}

/** A client of its own, as another host would have. */
export function clientOf(world: World, deedOf: () => Deed): SubnetStore {
  const { random } = world;
  const session = turnedSession(world, deedOf);
  // who pauses comes back in a later turn
  const chance = {
    below: (limit: number) => random.below(limit),
    pause: () => world.turns.take(async () => undefined),
  };
  return world.mutant.store(etcdStore(session, world.prefix, chance), session, world.prefix);
}

/** Files in memory; a file takes a turn to be written, so that others may move meanwhile. */
export function backupTools(world: World, deed: PruneDeed): BackupTools {
  const refuse = () => Promise.reject(new UnavailableError('unsupported', 'the model writes files alone'));
  const { turns, files, time } = world;
  const remember = (path: string, text: string) => {
    files.set(path, text);
    for (const record of parseBackup(text, path).records) deed.saved.set(record.key, { record, at: turns.now });
  };
  return {
    host: { ...recordedHost(), readFile: async (path) => files.get(path) ?? '' },
    writer: {
      ...{ run: refuse, createFile: refuse, remove: refuse, writeSysctl: refuse, signal: refuse, spawn: refuse },
      writeFile: (path, text) => turns.take(async () => remember(path, text)),
      appendFile: () => turns.take(async () => undefined),
    },
    clock: { now: time.now, monotonic: time.now, sleep: refuse },
  };
}

/** Writes past the turns, when nothing else moves; resolves to the revision. */
export async function noted({ connection, writes, time }: World, key: string, value: string): Promise<bigint> {
  const { header } = await connection.kv.put({ key: Buffer.from(key), value: Buffer.from(value) });
  writes.set(header.revision, { deed: { kind: 'setup' }, beganAt: 0, sentAt: time.now() });
  return BigInt(header.revision);
}
