import type { Argv } from '../host/host.ts';
import type { Board } from './board.ts';
import { keepFollowing } from './follow-program.ts';

/** Those of iptables too, where it writes to nf_tables; of the legacy tables the kernel tells nobody anything. */
const MONITOR: Argv = ['nft', 'monitor', 'rules'];

/** Wakes the care for the packet filter rules; until `signal` aborts. Without nft the timer is left. */
export function followRules(board: Board, signal: AbortSignal): Promise<void> {
  const ring = () => board.rules.ring('nf_tables');
  const onLine = (line: string) => {
    if (concernsRules(line)) ring();
  };
  return keepFollowing(board.parts, { argv: MONITOR, onStart: ring, onLine }, signal);
}

const BASE_CHAINS: ReadonlySet<string> = new Set(['FORWARD', 'POSTROUTING']);

/**
 * Whether a line is about flannel's chains or tables, or about a chain that they are entered from. kube-proxy writes its own chains anew
 * all day, thousands of lines at a time. `# ERROR: We lost some netlink events!` (nft 1.0) may be about anything.
 */
export function concernsRules(line: string): boolean {
  const [, table = '', chain = ''] = /^\w+ rule \w+ (\S+) (\S+)/.exec(line) ?? [];
  return (
    BASE_CHAINS.has(chain) || chain.startsWith('FLANNEL-') || table.startsWith('flannel-') || /^# ERROR/.test(line)
  );
}
