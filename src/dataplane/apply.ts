import { ApplyError, type ApplyFailure } from '../errors.ts';
import type { HostWriter } from '../host/host.ts';
import { type Attempts, runPhase } from './attempt.ts';
import { phasesOf, renderOperation } from './batch.ts';
import type { Operation, OverlayPlan } from './entry.ts';
import { entryKey } from './key.ts';
import { lineText, renderAdd } from './render.ts';

export interface ApplyInput {
  readonly writer: HostWriter;
  /** The whole plan, or some operations of it. */
  readonly plan: OverlayPlan;
  /** Reads the kernel again and plans against the same desired overlay, all of it. */
  readonly reobserve: () => Promise<OverlayPlan>;
}

/** What a changed link took with it is back after the second; the third is for somebody who changes things meanwhile. */
const MAX_ROUNDS = 3;

/**
 * Carries out a plan and reads back: what is still to be done afterwards is what failed. Entries that a link lost by being changed
 * (a new MAC flushes its neighbours, a new device has nothing) are programmed as well.
 *
 * @returns the plan as it stands afterwards.
 * @throws {ApplyError} naming each operation that did not take effect, with the kernel's message. The others did.
 */
export async function applyPlan({ writer, plan, reobserve }: ApplyInput): Promise<OverlayPlan> {
  const attempts: Attempts = { tried: new Set(), complaints: new Map() };
  let after = plan;
  let left: readonly Operation[] = plan.operations.filter(isChange);
  for (let round = 0; round < MAX_ROUNDS && (round === 0 ? left.length > 0 : hasUntried(left, attempts)); round += 1) {
    for (const batches of phasesOf({ operations: left })) await runPhase({ writer, batches, attempts });
    after = await reobserve();
    left = unfinished(after, plan);
  }
  if (left.length > 0) throw new ApplyError(left.map((operation) => failureOf(operation, attempts)));
  return after;
}

function isChange({ verb }: Operation): boolean {
  return verb === 'add' || verb === 'replace' || verb === 'delete';
}

/** What of the plan is still to be done; a foreign entry beside one of ours that is in order is no failure of ours. */
function unfinished(after: OverlayPlan, plan: OverlayPlan): readonly Operation[] {
  const open = after.operations.filter(({ verb }) => verb !== 'keep');
  if (open.length === 0) return open;
  const kept = new Set(after.operations.flatMap(({ verb, entry }) => (verb === 'keep' ? entryKey(entry) : [])));
  return open.filter(({ verb, entry }) => !(verb === 'foreign' && kept.has(entryKey(entry)))).filter(scopeOf(plan));
}

/** The plan's own objects, and everything on a device whose link it changes. */
function scopeOf({ operations }: OverlayPlan): (operation: Operation) => boolean {
  const changes = operations.filter(isChange);
  const keys = new Set(changes.map(({ entry }) => entryKey(entry)));
  const devices = new Set(changes.flatMap(({ entry }) => (entry.kind === 'link' ? entry.device : [])));
  return ({ verb, entry }) =>
    keys.has(entryKey(entry)) || (verb === 'add' && entry.device !== null && devices.has(entry.device));
}

function hasUntried(operations: readonly Operation[], { tried }: Attempts): boolean {
  const lines = new Set([...tried].map(lineText));
  return operations.flatMap(renderOperation).some((line) => !lines.has(line));
}

function failureOf(operation: Operation, { complaints }: Attempts): ApplyFailure {
  const lines =
    operation.verb === 'foreign' ? renderAdd(operation.entry, 'add').map(lineText) : renderOperation(operation);
  const complained = lines.find((line) => complaints.has(line));
  return {
    operation: complained ?? lines.join('; '),
    message: complaints.get(complained ?? '') ?? 'was accepted, but the kernel does not hold it',
  };
}
