import {
  desiredTrafficRules,
  ensureTrafficRules,
  holdsTrafficRules,
  type RulesHolder,
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
  let seen: Seen | undefined;
  while (!signal.aborted) {
    seen = await pace.spend(() => ensureRules(board, seen));
    await pace.rest(signal);
    const reasons = await board.rules.next(everyMs, signal);
    if (reasons.size > 0) seen = undefined;
  }
}

/** Between two looks at everything: who else has rules of flannel's, what is installed, and what it supports. */
const WHOLE_LOOK_MS = 60_000;

/** The last look at everything. */
interface Seen {
  readonly rules: TrafficRules;
  readonly holders: readonly RulesHolder[];
  /** Monotonic ms. */
  readonly at: number;
  readonly basis: string;
}

/** Not without a lease: the rules name this node's subnet. `seen`: what is looked at alone while it is in order. */
async function ensureRules(board: Board, seen: Seen | undefined): Promise<Seen | undefined> {
  const { host, writer, log, clock } = board.parts;
  const { own, config, configText } = board;
  const lease = own.status === 'none' ? null : own.lease;
  if (lease === null) return undefined;
  const basis = [lease.subnet, lease.ipv6Subnet, configText].join(' ');
  const now = clock.monotonic();
  try {
    const isRecent = seen !== undefined && seen.basis === basis && now - seen.at < WHOLE_LOOK_MS;
    if (isRecent && (await holdsTrafficRules(host, seen.rules, seen.holders))) return seen;
    const rules = await rulesFor({ host, config, lease, options: board.settings.options });
    const { changes, holders } = await ensureTrafficRules({ host, writer, rules });
    if (changes.length > 0) log.info('wrote packet filter rules', { changes: changes.length });
    settle(board, 'rules', undefined);
    return { rules, holders, at: now, basis };
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    settle(board, 'rules', problemText(error));
    return undefined;
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
