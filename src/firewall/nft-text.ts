import { printable } from './quote.ts';

/** What only the text of `nft -a list ruleset` tells: how a rule reads, and the devices of an ingress chain. */
export interface NftText {
  /** `''` when the listing does not have it. */
  ruleOf(chain: string, handle: number): string;
  devicesOf(chain: string): readonly string[] | null;
}

/** Chains are named `family table chain`. */
export function parseNftText(listing: string): NftText {
  const rules = new Map<string, string>();
  const devices = new Map<string, readonly string[]>();
  let table = '';
  let chain = '';
  for (const line of listing.split('\n')) {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table;
    const name = /^\t(?:chain|set|map|counter|\w+) (\S+) \{/.exec(line)?.[1];
    if (name !== undefined) chain = `${table} ${name}`;
    const rule = /^\t\t(.*) # handle (\d+)$/.exec(line);
    if (rule !== null) rules.set(`${chain} ${rule[2]}`, printable(rule[1] ?? ''));
    const hook = /^\t\ttype \w+ hook (?:ingress|egress) devices? (.*?) priority /.exec(line)?.[1];
    if (hook !== undefined)
      devices.set(
        chain,
        [...hook.matchAll(/[^\s{},="]+/g)].map(([device]) => device),
      );
  }
  return {
    ruleOf: (name, handle) => rules.get(`${name} ${handle}`) ?? '',
    devicesOf: (name) => devices.get(name) ?? null,
  };
}
