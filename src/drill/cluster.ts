import { enteringNetwork, must } from './enter.ts';
import type { DrillContext, DrillNode } from './fault.ts';
import { drillNode } from './node.ts';
import { type ClusterRecord, nodeRecord, selectionOf } from './record.ts';
import type { DrillTools } from './tools.ts';

/** The nodes of a drill that is up, in order. */
export function nodesOf(tools: DrillTools, record: ClusterRecord): readonly DrillNode[] {
  return record.nodes.map((own) => drillNode(tools, record, own));
}

/** @throws {UsageError} when the drill has no such node. */
export function nodeAt(tools: DrillTools, record: ClusterRecord, index: number): DrillNode {
  return drillNode(tools, record, nodeRecord(record, index));
}

/**
 * Hands the context for breaking one node to `use`. The datastore is reached as the nodes reach it: etcd is on the underlay, so
 * the caller must be in the switch's network (see reenter.ts).
 */
export async function withContext<T>(
  tools: DrillTools,
  target: { readonly record: ClusterRecord; readonly index: number },
  use: (context: DrillContext) => Promise<T>,
): Promise<T> {
  const { record, index } = target;
  const node = nodeAt(tools, record, index);
  const peers = nodesOf(tools, record).filter((peer) => peer.index !== index);
  const selection = selectionOf(record);
  const store = await tools.openStore(selection);
  try {
    const raw = await tools.openRaw(selection);
    try {
      const onSwitch: DrillContext['onSwitch'] = (argv) => must(tools.host, enteringNetwork(record.switch, argv));
      return await use({ node, peers, store, raw, onSwitch });
    } finally {
      await raw.close();
    }
  } finally {
    await store.close();
  }
}
