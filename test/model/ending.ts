import { setTimeout as sleep } from 'node:timers/promises';
import { type LeaseBackup, parseBackup } from '../../src/leases/backup.ts';
import { type Restored, secondsLeft } from '../../src/leases/restore.ts';
import { isRival, ownerOf, Violation } from './invariants.ts';
import type { Past, Stood } from './past.ts';
import { restoreBackup } from './restoring.ts';
import { noted, type World } from './world.ts';

/** Every record of every backup can be put back, unless its time is over or something took its place. @throws {Violation} */
export async function assertRestorable(world: World, past: Past): Promise<void> {
  await untilTold(world, past);
  for (const [path, text] of world.files) {
    const backup = parseBackup(text, path);
    const before = new Map(past.standing);
    const restored = await runAlone(world, past, () => restoreBackup(world, backup));
    await untilTold(world, past);
    for (const one of restored) assertReason(one, { world, past, backup, before });
  }
}

/** Nobody else moves. */
async function runAlone<T>({ turns }: World, past: Past, work: () => Promise<T>): Promise<T> {
  const outcome: { value: T }[] = [];
  const working = work().then((value) => outcome.push({ value }));
  for (;;) {
    await turns.settle();
    past.tell();
    const [end] = outcome;
    if (end !== undefined) return end.value;
    // it has failed, and says why
    if (!(await turns.give())) await working;
  }
}

/** The history has come as far as etcd has. */
async function untilTold(world: World, past: Past): Promise<void> {
  const revision = await noted(world, `${world.prefix}/told`, '');
  while (past.heard < revision) await sleep(1);
  past.tell();
}

interface Ending {
  readonly world: World;
  readonly past: Past;
  readonly backup: LeaseBackup;
  /** What stood there before this backup was restored. */
  readonly before: ReadonlyMap<string, Stood>;
}

function assertReason({ record, result, message }: Restored, { world, past, backup, before }: Ending): void {
  const dumped = backup.records.find(({ key }) => key === record.key);
  if (dumped === undefined) throw new Violation(`${record.key} is not in the backup that was restored`);
  const own: Stood = { record, valueBase64: dumped.valueBase64, leaseId: '0' };
  const stands = before.get(record.key);
  const left = secondsLeft(dumped, backup, world.time.now());
  const isTrue = {
    restored: stands === undefined,
    present: stands !== undefined && ownerOf(stands) === ownerOf(own),
    expired: left !== null && left < 1,
    refused: stands !== undefined || [...past.standing.values()].some((other) => isRival(other, own)),
    ...{ failed: false, untried: false, 'would-restore': false },
  }[result];
  if (!isTrue) throw new Violation(`${record.key} of a backup was ${result}: ${message ?? 'nothing said'}`);
}
