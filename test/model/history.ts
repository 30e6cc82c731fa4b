import type { IEvent } from 'etcd3';
import { openConnections } from '../../src/store/etcd-connection.ts';
import { watchMessages } from '../../src/store/etcd-stream.ts';
import { connectTo } from './connect.ts';

/** Below it every world has a prefix of its own. */
export const ROOT = '/model';

/** What really happened, as etcd tells it: every change of every key, in the order of revisions. */
export interface History {
  /** `listener` hears of the changes below the prefix. */
  follow(prefix: string, listener: (event: IEvent) => void): () => void;
  close(): Promise<void>;
}

export async function openHistory(endpoint: string): Promise<History> {
  const listeners = new Map<string, (event: IEvent) => void>();
  const [connection] = await openConnections(connectTo(endpoint));
  if (connection === undefined) throw new TypeError('no connection');
  const ending = new AbortController();
  const request = { key: Buffer.from(`${ROOT}/`), range_end: Buffer.from(`${ROOT}0`), start_revision: '1' };
  const messages = watchMessages({ connection, request, signal: ending.signal, timeoutMs: 10_000 });
  // the first message says that the watch is there
  await messages.next();
  const reading = (async () => {
    for await (const { events } of messages) {
      for (const event of events) listeners.get(worldOf(event))?.(event);
    }
  })();
  return {
    follow: (prefix, listener) => {
      listeners.set(prefix, listener);
      return () => void listeners.delete(prefix);
    },
    close: async () => {
      ending.abort();
      await reading;
      connection.close();
    },
  };
}

/** `/model/17` of `/model/17/subnets/10.9.1.0-24`. */
function worldOf({ kv }: IEvent): string {
  return kv.key.toString('latin1').split('/', 3).join('/');
}
