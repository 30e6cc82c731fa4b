import { parseStoredConfig } from '../store/stored-config.ts';
import type { Board } from './board.ts';
import { problemText } from './problem.ts';
import { pause } from './waker.ts';

const CONFIG_MS = 60_000;

/** The configuration may change while we run. One that cannot be used, or that leaves our subnet out, is told and not taken. */
export async function keepConfig(board: Board, signal: AbortSignal): Promise<void> {
  const { store, clock, log, measures } = board.parts;
  let refused = '';
  while (!signal.aborted) {
    await pause(clock, CONFIG_MS, signal);
    if (signal.aborted) return;
    try {
      const stored = await store.readNetworkConfig();
      if (stored.text === board.configText || stored.text === refused) continue;
      refused = stored.text;
      const { config } = parseStoredConfig(stored, store.kind);
      const isSame = config.network === board.config.network && config.ipv6Network === board.config.ipv6Network;
      if (!isSame || config.backend.type !== 'vxlan') {
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
