import type { NodeEvent } from '../kube/kube.ts';
import { decodeNode } from './node-lease.ts';
import type { LeaseRecord, StoreEvent } from './store.ts';

/**
 * The changes of the nodes as changes of the leases. A node that flannel's peers no longer see is a deletion; one whose
 * lease says what it said, as at each heartbeat of its kubelet, is nothing.
 */
export async function* watchKube(events: AsyncIterable<NodeEvent>, source: string): AsyncGenerator<StoreEvent> {
  const told = new Map<string, string>();
  for await (const event of events) {
    if (event.type === 'snapshot') {
      const records = event.nodes.flatMap((node) => decodeNode(node) ?? []);
      told.clear();
      for (const record of records) told.set(record.key, contentOf(record));
      const listing = { records, revision: event.resourceVersion, clusterId: null, source };
      yield { type: 'snapshot', listing, because: event.because };
    } else {
      const change = changeOf(event, told);
      if (change !== undefined) yield change;
    }
  }
}

function changeOf(event: Exclude<NodeEvent, { type: 'snapshot' }>, told: Map<string, string>): StoreEvent | undefined {
  const { name: key, resourceVersion: revision } = event.node;
  const record = event.type === 'put' ? decodeNode(event.node) : undefined;
  if (record === undefined) return told.delete(key) ? { type: 'delete', key, revision } : undefined;
  const content = contentOf(record);
  if (told.get(key) === content) return undefined;
  told.set(key, content);
  return { type: 'put', record, revision };
}

function contentOf(record: LeaseRecord): string {
  return JSON.stringify({ ...record, modRevision: '' });
}
