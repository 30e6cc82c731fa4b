import { DEFAULT_PORT } from '../dataplane/device.ts';
import type { NetworkConfig } from '../store/config.ts';
import { parseStoredConfig } from '../store/stored-config.ts';
import type { Board } from './board.ts';
import { problemText } from './problem.ts';
import { pause } from './waker.ts';

const CONFIG_MS = 60_000;

/**
 * The configuration may change while we run. One that cannot be used is told and not taken, nor is one that every node has to take at once:
 * flanneld reads it at its start alone.
 */
export async function keepConfig(board: Board, signal: AbortSignal): Promise<void> {
  const { store, clock, log, measures } = board.parts;
  let refused = '';
  while (!signal.aborted) {
    await pause(clock, CONFIG_MS, signal);
    if (signal.aborted) return;
    try {
      const stored = await store.readNetworkConfig();
      if (stored.text === board.configText) refused = '';
      if (stored.text === board.configText || stored.text === refused) continue;
      refused = stored.text;
      const { config } = parseStoredConfig(stored, store.kind);
      if (sharedBy(config) !== sharedBy(board.config)) {
        log.error('the network configuration changed in a way that needs a restart of every node; the old one is kept');
        continue;
      }
      log.info('the network configuration changed');
      board.config = config;
      board.configText = stored.text;
      board.look.ring('configuration');
    } catch (error) {
      measures.datastoreError('config');
      log.warn('the network configuration could not be read', { error: problemText(error) });
    }
  }
}

/** What the nodes must agree on: a node that changed it alone would reach nobody any more. */
function sharedBy({ enableIPv4, enableIPv6, network, ipv6Network, backend }: NetworkConfig): string {
  const networks = [enableIPv4 ? network : null, enableIPv6 ? ipv6Network : null];
  if (backend.type !== 'vxlan') return JSON.stringify([networks, backend]);
  return JSON.stringify([networks, backend.vni, backend.port ?? DEFAULT_PORT, backend.gbp]);
}
