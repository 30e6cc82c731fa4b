import type { Chain, Ruleset } from './ruleset.ts';

export interface Readings {
  /** What nft prints; holds the tables of iptables-nft too. */
  readonly nft: Ruleset;
  /** What iptables-nft-save and ip6tables-nft-save print of those same tables. */
  readonly iptablesNft: readonly Chain[];
  /** Tables of the legacy kernel interface, which nft does not see. */
  readonly legacy: readonly Chain[];
}

/** One ruleset in which every rule occurs once: in the words of the program that made it, as far as that could read it. */
export function combine({ nft, iptablesNft, legacy }: Readings): Ruleset {
  const byTable = Map.groupBy(iptablesNft, tableKey);
  const replaced = Map.groupBy(nft.chains, tableKey);
  const chains = [...replaced].flatMap(([key, own]) => merge(own, byTable.get(key)));
  return { chains: [...chains, ...legacy], sets: nft.sets };
}

function tableKey(chain: Chain): string {
  return `${chain.family} ${chain.table}`;
}

/**
 * A table goes by iptables only when that tool saw all of it. Hook and priority are taken from nft, which knows them;
 * iptables-save leaves out a user's own base chain and what it cannot put into its words.
 */
function merge(own: readonly Chain[], saved: readonly Chain[] | undefined): readonly Chain[] {
  if (saved === undefined) return own;
  const byName = new Map(saved.map((chain) => [chain.name, chain]));
  const isWhole = own.every((chain) => byName.get(chain.name)?.rules.length === chain.rules.length);
  if (!isWhole) return own;
  return own.flatMap((chain) => {
    const other = byName.get(chain.name);
    return other === undefined ? [] : [{ ...other, base: chain.base }];
  });
}
