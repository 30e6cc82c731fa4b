import { FlannelctlError } from '../errors.ts';
import { applyFault, missingRequirement } from './apply-fault.ts';
import { nodeAt, nodesOf } from './cluster.ts';
import { complaints, type Examination, examine } from './examination.ts';
import { storeObstacle } from './fitting.ts';
import { judge } from './judgement.ts';
import type { MatrixRow, NotInjected } from './matrix.ts';
import type { FaultSet } from './pairs.ts';
import type { ClusterRecord } from './record.ts';
import type { DrillTools } from './tools.ts';

/** A cluster that rows are run on, and whether its last examination found nothing. */
export interface Bench {
  readonly record: ClusterRecord;
  /** `true`: every node was healthy after the row before, and nobody has touched it since. */
  readonly isHealthy: boolean;
}

export interface RowOutcome {
  readonly row: MatrixRow | undefined;
  readonly notInjected: readonly NotInjected[];
  /** Whether the cluster is fit for the next row. */
  readonly isHealthy: boolean;
}

/** Node to break; one node is as good as another, because the cluster is symmetric. */
const BROKEN = 1;

/** Healthy before → injected → found by its id, nothing else a root → repaired → healthy after. */
export async function runRow(tools: DrillTools, bench: Bench, faults: FaultSet): Promise<RowOutcome> {
  const startedAt = tools.clock.monotonic();
  const { record } = bench;
  const before = bench.isHealthy ? [] : await examineAll(tools, record);
  const reason = await inject(tools, record, faults);
  if (reason !== undefined) {
    const fault = faults.map(({ name }) => name).join(' + ');
    return { row: undefined, notInjected: [{ fault, reason }], isHealthy: false };
  }
  const judged = await judgeBroken(tools, record, faults);
  const failedRepairs = await repair(tools, record, faults);
  const after = await examineAll(tools, record);
  const row: MatrixRow = {
    fault: faults.map(({ name }) => name).join(' + '),
    check: faults.map(({ check }) => check).join(' + '),
    nodes: record.nodes.length,
    store: record.store,
    healthyBefore: before.length === 0,
    ...judged.findings,
    repaired: failedRepairs.length === 0,
    healthyAfter: after.length === 0,
    durationMs: Math.round(tools.clock.monotonic() - startedAt),
    details: [...told('before', before), ...judged.details, ...failedRepairs, ...told('after', after)],
  };
  return { row, notInjected: [], isHealthy: after.length === 0 };
}

function told(when: string, said: readonly string[]): readonly string[] {
  return said.map((sentence) => `${when}, ${sentence}`);
}

/** Doctor on every node at once; what is wrong. A doctor that fails is as bad as one that finds something. */
export async function examineAll(tools: DrillTools, record: ClusterRecord): Promise<readonly string[]> {
  const nodes = nodesOf(tools, record);
  const examinations = await attempt(() => Promise.all(nodes.map((node) => examine(node, record.program))));
  return 'failed' in examinations ? [examinations.failed] : complaints(nodes, examinations.value);
}

/** Why it could not be injected; what was done of it is undone then. */
async function inject(tools: DrillTools, record: ClusterRecord, faults: FaultSet): Promise<string | undefined> {
  const node = nodeAt(tools, record, BROKEN);
  for (const fault of faults) {
    const obstacle = storeObstacle(fault, record.store);
    if (obstacle !== undefined) return obstacle;
    const missing = await missingRequirement(node, fault);
    if (missing !== undefined) return `${missing} is not here`;
  }
  for (const fault of faults) {
    const injected = await attempt(() => applyFault(tools, { record, index: BROKEN }, { fault, verb: 'break' }));
    if ('failed' in injected) return `${fault.name}: ${injected.failed}`;
  }
  return undefined;
}

interface Judged {
  readonly findings: Pick<MatrixRow, 'found' | 'falseRoots' | 'unannounced'>;
  readonly details: readonly string[];
}

async function judgeBroken(tools: DrillTools, record: ClusterRecord, faults: FaultSet): Promise<Judged> {
  const seen = await attempt(() => examine(nodeAt(tools, record, BROKEN), record.program));
  if ('failed' in seen) {
    return { findings: { found: false, falseRoots: [], unannounced: [] }, details: [seen.failed] };
  }
  const findings = judge(faults, seen.value);
  return { findings, details: findings.found ? [] : [notFound(seen.value)] };
}

function notFound({ roots, failing, unknown, exitCode }: Examination): string {
  const list = (ids: readonly string[]) => ids.join(' ') || 'none';
  return `not found: exit ${exitCode}, roots ${list(roots)}; failing ${list(failing)}; unknown ${list(unknown)}`;
}

/** What only a person may undo is healed first; the rest is doctor's. Sentences about what did not work. */
async function repair(tools: DrillTools, record: ClusterRecord, faults: FaultSet): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const fault of faults.filter((candidate) => candidate.repair === 'heal').toReversed()) {
    const healed = await attempt(() => applyFault(tools, { record, index: BROKEN }, { fault, verb: 'heal' }));
    if ('failed' in healed) failures.push(`heal ${fault.name}: ${healed.failed}`);
  }
  if (!faults.some((fault) => fault.repair === 'fix')) return failures;
  const fixed = await attempt(() => examine(nodeAt(tools, record, BROKEN), record.program, ['--fix', '--yes']));
  if ('failed' in fixed) return [...failures, `--fix: ${fixed.failed}`];
  const { exitCode, failing } = fixed.value;
  return exitCode === 0 && failing.length === 0
    ? failures
    : [...failures, `--fix: exit ${exitCode}, still failing ${failing.join(' ')}`];
}

/** Something that somebody can act on belongs into the row; a bug does not. */
async function attempt<T>(act: () => Promise<T>): Promise<{ readonly value: T } | { readonly failed: string }> {
  try {
    return { value: await act() };
  } catch (error) {
    if (error instanceof FlannelctlError) return { failed: error.message };
    throw error;
  }
}
