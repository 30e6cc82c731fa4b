import type { Argv, Host } from '../host/host.ts';
import { enteringNetwork } from './enter.ts';
import type { ClusterRecord } from './record.ts';

/**
 * The same command once more, in the switch's network, when it has to be: etcd listens on the underlay only, and nothing joins
 * the underlay to the machine. `undefined`: this process can go on.
 */
export async function reentry(host: Host, record: ClusterRecord, argv: readonly string[]): Promise<Argv | undefined> {
  if (record.store === 'file') return undefined;
  const [here, there] = await Promise.all([
    host.readLink('/proc/self/ns/net'),
    host.readLink(`/proc/${record.switch.pid}/ns/net`),
  ]);
  return here === there ? undefined : enteringNetwork(record.switch, [record.program, ...argv]);
}
