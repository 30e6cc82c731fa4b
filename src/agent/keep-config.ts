import { FlannelctlError } from '../errors.ts';
import { incompatibilities } from '../leases/compatibility.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { StoredNetworkConfig } from '../store/store.ts';
import { parseStoredConfig } from '../store/stored-config.ts';
import type { Board } from './board.ts';
import { agreedChanges } from './config-change.ts';
import { problemText } from './problem.ts';
import { pause } from './waker.ts';

const CONFIG_MS = 60_000;

/** The configuration may change while we run. One that cannot be used, or that all nodes must take together, is told once and not taken. */
export async function keepConfig(board: Board, signal: AbortSignal): Promise<void> {
  const { store, clock, log, measures } = board.parts;
  let refused = '';
  let told = '';
  while (!signal.aborted) {
    await pause(clock, CONFIG_MS, signal);
    if (signal.aborted) return;
    try {
      const stored = await store.readNetworkConfig();
      told = '';
      if (stored.text === refused) continue;
      refused = stored.text === board.configText || takeConfig(board, stored) ? '' : stored.text;
    } catch (error) {
      measures.datastoreError('config');
      const problem = problemText(error);
      if (problem !== told)
        log.warn('the network configuration could not be read; this node goes on with the old one', { error: problem });
      told = problem;
    }
  }
}

/** Whether it was taken; if not, it is told why. */
function takeConfig(board: Board, stored: StoredNetworkConfig): boolean {
  const { log, store } = board.parts;
  const config = readConfig(board, stored);
  if (config === undefined) return false;
  const changed = agreedChanges(board.config, config);
  if (changed.length > 0) {
    log.error('the network configuration changed in what all nodes must agree on; this node goes on with the old one', {
      changed: changed.join(', '),
      todo: TOGETHER,
    });
    return false;
  }
  log.info('the network configuration changed and is taken');
  board.config = config;
  board.configText = stored.text;
  board.look.ring('configuration');
  if (store.kind !== 'kube') tellStranded(board, config);
  return true;
}

const TOGETHER =
  'on every node, one right after the other: systemctl stop flannelctl; flannelctl down; systemctl start flannelctl (with flanneld: systemctl restart flanneld)';

function readConfig(board: Board, stored: StoredNetworkConfig): NetworkConfig | undefined {
  const { log, store } = board.parts;
  try {
    return parseStoredConfig(stored, store.kind).config;
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    log.error('the network configuration in the datastore cannot be used; this node goes on with the old one', {
      error: problemText(error),
      todo: 'flannelctl config set FILE',
    });
    return undefined;
  }
}

/** As long as it is renewed a lease stays, whatever the ranges are. */
function tellStranded({ own, parts }: Board, config: NetworkConfig): void {
  if (own.status === 'none' || own.lease === null || incompatibilities(own.lease, config).length === 0) return;
  parts.log.warn(
    'the subnet of this node is none that the new configuration gives out; it is kept until the next start',
    {
      subnet: own.lease.subnet ?? own.lease.ipv6Subnet,
    },
  );
}
