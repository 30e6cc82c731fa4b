import { shellWord } from '../shell-word.ts';
import type { Chain, Ruleset } from './ruleset.ts';

export interface ForwardOpening {
  readonly hasFlannelChain: boolean;
  /** Let pods through ahead of the policy. */
  readonly commands: readonly string[];
}

const FLANNEL_CHAIN = 'FLANNEL-FWD';

/** flannel's own chain where the policy stands in the same table and does not jump to it; accept rules for the network otherwise. */
export function openForward(base: Chain, { ruleset, network }: { ruleset: Ruleset; network: string }): ForwardOpening {
  const isSibling = (chain: Chain) =>
    chain.program === base.program && chain.family === base.family && chain.table === base.table;
  const flannel = ruleset.chains.find(
    (chain) => isSibling(chain) && chain.name === FLANNEL_CHAIN && chain.rules.length > 0,
  );
  const isReached = base.rules.some(({ verdict }) => verdict.kind === 'jump' && verdict.target === FLANNEL_CHAIN);
  const hasFlannelChain = flannel !== undefined;
  if (base.program === 'nft') return { hasFlannelChain, commands: acceptByNft(base, network) };
  if (hasFlannelChain && !isReached) return { hasFlannelChain, commands: [iptables(base, ['-j', FLANNEL_CHAIN])] };
  const accepts = ['-s', '-d'].map((end) => iptables(base, [end, network, '-j', 'ACCEPT']));
  return { hasFlannelChain, commands: accepts };
}

function iptables({ program, table, name }: Chain, rule: readonly string[]): string {
  const place = table === 'filter' ? [] : ['-t', table];
  return [program, ...place, '-I', name, '1', ...rule].map(shellWord).join(' ');
}

function acceptByNft({ family, table, name }: Chain, network: string): readonly string[] {
  const protocol = network.includes(':') ? 'ip6' : 'ip';
  return ['saddr', 'daddr'].map((end) =>
    ['nft', 'insert', 'rule', family, table, name, protocol, end, network, 'accept'].map(shellWord).join(' '),
  );
}
