import { desiredTrafficRules, ensureTrafficRules, supportsRandomFully } from '../dataplane/masquerade.ts';
import { FlannelctlError } from '../errors.ts';
import { type Board, settle } from './board.ts';
import { problemText } from './problem.ts';
import { pause } from './waker.ts';

/** Looks after masquerade and forward rules every `--iptables-resync` seconds until `signal` aborts. */
export async function keepRules(board: Board, signal: AbortSignal): Promise<void> {
  const { clock } = board.parts;
  const { iptablesResyncSeconds } = board.settings.options;
  const everyMs = Math.max(1, iptablesResyncSeconds) * 1000;
  while (!signal.aborted) {
    await ensureRules(board);
    await pause(clock, everyMs, signal);
  }
}

/** Not without a lease: the rules name this node's subnet. */
async function ensureRules(board: Board): Promise<void> {
  const { host, writer, log } = board.parts;
  const { own, config } = board;
  const lease = own.status === 'none' ? null : own.lease;
  if (lease === null) return;
  const { ipMasq, iptablesForwardRules: forwardRules } = board.settings.options;
  const { subnet: ownSubnet, ipv6Subnet } = lease;
  try {
    const randomFully = await supportsRandomFully(host, config.enableNFTables ? 'nftables' : 'iptables');
    const wishes = { ipMasq, forwardRules, randomFully };
    const rules = desiredTrafficRules({ config, ownSubnet, ipv6Subnet, ...wishes });
    const { changes } = await ensureTrafficRules({ host, writer, rules });
    if (changes.length > 0) log.info('wrote packet filter rules', { changes: changes.length });
    settle(board, 'rules', undefined);
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    settle(board, 'rules', problemText(error));
  }
}
