import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EtcdConnection, openConnections } from '../../src/store/etcd-connection.ts';
import { startEtcd } from '../support/etcd-server.ts';
import { connectTo } from './connect.ts';
import { type History, openHistory } from './history.ts';

/** A real etcd with a history, for many worlds. */
export interface Stage {
  readonly connection: EtcdConnection;
  readonly history: History;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(await inMemory(), 'fctl-model-'));
  const etcd = await startEtcd({ flags: ['--data-dir', folder, '--quota-backend-bytes', String(6 << 30)] });
  const history = await openHistory(etcd.endpoint);
  const [connection] = await openConnections(connectTo(etcd.endpoint));
  if (connection === undefined) throw new TypeError('no connection');
  return {
    connection,
    history,
    close: async () => {
      await history.close();
      connection.close();
      await etcd.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** `/dev/shm` where there is one: every write of etcd waits for its disk. */
async function inMemory(): Promise<string> {
  const [memory] = await Promise.allSettled([stat('/dev/shm')]);
  return memory.status === 'fulfilled' ? '/dev/shm' : tmpdir();
}
