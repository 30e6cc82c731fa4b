import {
  desiredTrafficRules,
  ensureTrafficRules,
  supportsRandomFully,
  type TrafficRules,
} from '../dataplane/masquerade.ts';
import { FlannelctlError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { Lease } from '../store/store.ts';
import { type Board, settle } from './board.ts';
import { Pace } from './pace.ts';
import { problemText } from './problem.ts';

/** Looks after masquerade and forward rules every `--iptables-resync` seconds, and when it is woken, until `signal` aborts. */
export async function keepRules(board: Board, signal: AbortSignal): Promise<void> {
  const { clock } = board.parts;
  const { iptablesResyncSeconds } = board.settings.options;
  const everyMs = Math.max(1, iptablesResyncSeconds) * 1000;
  const pace = new Pace(clock);
  while (!signal.aborted) {
    await pace.spend(() => ensureRules(board));
    await pace.rest(signal);
    await board.rules.next(everyMs, signal);
  }
}

/** Not without a lease: the rules name this node's subnet. */
async function ensureRules(board: Board): Promise<void> {
  const { host, writer, log } = board.parts;
  const { own, config } = board;
  const lease = own.status === 'none' ? null : own.lease;
  if (lease === null) return;
  try {
    const rules = await rulesFor({ host, config, lease, options: board.settings.options });
    const { changes } = await ensureTrafficRules({ host, writer, rules });
    if (changes.length > 0) log.info('wrote packet filter rules', { changes: changes.length });
    settle(board, 'rules', undefined);
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    settle(board, 'rules', problemText(error));
  }
}

export interface RulesInput {
  readonly host: Host;
  readonly config: NetworkConfig;
  readonly lease: Pick<Lease, 'subnet' | 'ipv6Subnet'>;
  readonly options: FlannelOptions;
}

/** The rules that this node should have. @throws {UnavailableError} when the host does not tell what it supports. */
export async function rulesFor({ host, config, lease, options }: RulesInput): Promise<TrafficRules> {
  const { ipMasq, iptablesForwardRules: forwardRules, ipMasqFullyRandomDisable } = options;
  const mode = config.enableNFTables ? 'nftables' : 'iptables';
  const randomFully = !ipMasqFullyRandomDisable && (await supportsRandomFully(host, mode));
  const { subnet: ownSubnet, ipv6Subnet } = lease;
  return desiredTrafficRules({ config, ownSubnet, ipv6Subnet, ipMasq, forwardRules, randomFully });
}
