import type { Entry, Operation, OverlayPlan } from './entry.ts';
import { type Line, linesOf, lineText, renderAdd, renderDelete } from './render.ts';

/** Lines of one tool, which one process gets at a time. */
export interface Batch {
  readonly tool: Line['tool'];
  readonly lines: readonly Line[];
}

/** Long enough that the start of the process does not count, short enough that an aborted batch loses little. */
const MAX_LINES = 2500;

/**
 * The commands that carry out a plan, each complete, in the order in which they are applied.
 *
 * @throws {TypeError} when an entry holds a value that was not validated.
 */
export function renderPlan(plan: OverlayPlan): readonly string[] {
  return phasesOf(plan)
    .flat()
    .flatMap(({ lines }) => lines.map(lineText));
}

/** The commands that carry out one operation, each complete; none for `keep` and `foreign`. @throws {TypeError} as {@link renderPlan}. */
export function renderOperation(operation: Operation): readonly string[] {
  return linesOf(operation).map(lineText);
}

/** What a dry run shows: `+`, `-` or `=` and the command; a change is a `-` and a `+`; `!` marks what somebody else holds. */
export function renderChanges(plan: OverlayPlan): readonly string[] {
  return inOrder(plan.operations).flatMap(changesOf);
}

/**
 * Lines in the order that never sends a packet to a half-programmed peer: removals (routes first), links, addresses, fdb, neighbours,
 * routes last. One kind a phase, because an error can end a batch and must not take another kind with it; the batches of one phase do not
 * depend on each other.
 */
export function phasesOf(plan: OverlayPlan): readonly (readonly Batch[])[] {
  const phases = Map.groupBy(plan.operations, phaseOf);
  return [...phases].sort(([a], [b]) => a - b).map(([, operations]) => chunk(operations.flatMap(linesOf)));
}

function inOrder(operations: readonly Operation[]): readonly Operation[] {
  return [...operations].sort((a, b) => phaseOf(a) - phaseOf(b));
}

const REMOVAL_ORDER: Readonly<Record<Entry['kind'], number>> = { route: 0, neighbour: 1, fdb: 2, address: 3, link: 4 };
const ADDITION_ORDER: Readonly<Record<Entry['kind'], number>> = { link: 5, address: 6, fdb: 7, neighbour: 8, route: 9 };

function phaseOf({ verb, entry }: Operation): number {
  return (verb === 'delete' ? REMOVAL_ORDER : ADDITION_ORDER)[entry.kind];
}

function chunk(lines: readonly Line[]): readonly Batch[] {
  const batches: Batch[] = [];
  for (let start = 0; start < lines.length; start += MAX_LINES) {
    const part = lines.slice(start, start + MAX_LINES);
    const [first] = part;
    if (first !== undefined) batches.push({ tool: first.tool, lines: part });
  }
  return batches;
}

function changesOf(operation: Operation): readonly string[] {
  const { verb, entry, before, recreate } = operation;
  const added = () => renderAdd(entry, 'add').map((line) => `+ ${lineText(line)}`);
  switch (verb) {
    case 'add':
      return added();
    case 'delete':
      return [`- ${lineText(renderDelete(entry))}`];
    case 'keep':
      return renderAdd(entry, 'add').map((line) => `= ${lineText(line)}`);
    case 'foreign':
      return renderAdd(entry, 'add').map((line) => `! ${lineText(line)}`);
    case 'replace':
      if (entry.kind === 'link' && recreate !== true) return linesOf(operation).map((line) => `+ ${lineText(line)}`);
      return [`- ${lineText(renderDelete(before ?? entry))}`, ...added()];
  }
}
