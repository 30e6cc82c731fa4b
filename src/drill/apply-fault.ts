import { UnavailableError } from '../errors.ts';
import { withContext } from './cluster.ts';
import { must } from './enter.ts';
import type { DrillNode, Fault } from './fault.ts';
import { storeObstacle } from './fitting.ts';
import { type ClusterRecord, nodeRecord } from './record.ts';
import { reentry } from './reenter.ts';
import type { DrillTools } from './tools.ts';

export interface FaultTarget {
  readonly record: ClusterRecord;
  /** The node to break or to heal. */
  readonly index: number;
}

const TIMEOUT_MS = 60_000;

/**
 * Injects or heals a fault, through a second flannelctl in the switch's network where that is needed to reach the store.
 *
 * @throws {UsageError} when the drill has no such node; {UnavailableError} `unsupported` when its datastore does not fit.
 */
export async function applyFault(
  tools: DrillTools,
  { record, index }: FaultTarget,
  { fault, verb }: { readonly fault: Fault; readonly verb: 'break' | 'heal' },
): Promise<void> {
  nodeRecord(record, index);
  const obstacle = storeObstacle(fault, record.store);
  if (obstacle !== undefined) throw new UnavailableError('unsupported', `${fault.name}: ${obstacle}`);
  const again = ['drill', verb, fault.name, '--node', String(index), '--tag', record.tag, '--quiet'];
  const argv = await reentry(tools.host, record, again);
  if (argv !== undefined) {
    await must(tools.host, argv, { timeoutMs: TIMEOUT_MS });
    return;
  }
  await withContext(tools, { record, index }, (context) =>
    verb === 'break' ? fault.inject(context) : fault.heal(context),
  );
}

/** What the fault needs and the node does not have: a program by name, or an absolute path; `undefined`: nothing. */
export async function missingRequirement(node: DrillNode, fault: Fault): Promise<string | undefined> {
  for (const need of fault.requires ?? []) {
    const test = need.startsWith('/') ? '[ -e "$1" ]' : 'command -v -- "$1"';
    const { exitCode } = await node.exec(['sh', '-c', test, 'sh', need]);
    if (exitCode !== 0) return need;
  }
  return undefined;
}
