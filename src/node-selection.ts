import type { Host } from './host/host.ts';
import type { FlannelOptions } from './net/flannel-options.ts';
import { selectStore } from './store/selection.ts';
import type { StoreSelection } from './store/store.ts';

/** The datastore, with this host's Node where it has one: without another word kubelet takes the host's name in lower case. */
export async function selectNodeStore(options: FlannelOptions, host: Host): Promise<StoreSelection> {
  const selection = selectStore(options);
  if (selection.kind !== 'kube') return selection;
  const { nodeFromEnvironment } = await import('./wire.ts');
  return { ...selection, node: nodeFromEnvironment() ?? { name: (await host.identity()).hostname.toLowerCase() } };
}
