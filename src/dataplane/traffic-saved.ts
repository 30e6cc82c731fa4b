/** What `iptables-save` prints, by table. Rules are text as printed, without `-A CHAIN`. */
export type SavedTables = Readonly<Record<string, SavedTable>>;

export interface SavedTable {
  /** Rules by chain, in order; a chain without rules has an empty list. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
}

/** Lines of another form are passed over: comments, counters, COMMIT. */
export function parseSavedTables(text: string): SavedTables {
  const tables: Record<string, { chains: Map<string, string[]> }> = {};
  let chains = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, table, chain, owner, rule] = /^(?:\*(\S+)|:(\S+) .*|-A (\S+)(?: (.*))?)$/.exec(line) ?? [];
    if (table !== undefined) {
      chains = new Map();
      tables[table] = { chains };
    } else if (chain !== undefined) chains.set(chain, chains.get(chain) ?? []);
    else if (owner !== undefined) chains.set(owner, [...(chains.get(owner) ?? []), rule ?? '']);
  }
  return tables;
}

export function rulesOf(tables: SavedTables, table: string, chain: string): readonly string[] | undefined {
  return tables[table]?.chains.get(chain);
}

/** The rule without its comment, which matches every packet. */
export function withoutComment(rule: string): string {
  return rule.replace(/(^| )-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+)/, '').trim();
}

const TERMINAL: Readonly<Record<string, ReadonlySet<string>>> = {
  nat: new Set(['ACCEPT', 'DROP', 'MASQUERADE', 'SNAT', 'RETURN']),
  filter: new Set(['DROP', 'REJECT', 'RETURN']),
};

/**
 * Where the first rule stands that lets no packet pass on to the next, itself or by a chain it always jumps to; `undefined`: none does.
 * An ACCEPT of every packet in the filter table keeps nothing from pods and does not count.
 */
export function firstCatchAll(tables: SavedTables, table: string, rules: readonly string[]): number | undefined {
  const at = rules.findIndex((rule) => catchesAll({ tables, table, rule, seen: [] }));
  return at === -1 ? undefined : at;
}

interface Question {
  readonly tables: SavedTables;
  readonly table: string;
  readonly rule: string;
  /** Chains on the way here. A loop cannot be loaded into the kernel; what is printed may be anything. */
  readonly seen: readonly string[];
}

function catchesAll({ tables, table, rule, seen }: Question): boolean {
  const [, target = ''] = /^-[jg] (\S+)/.exec(withoutComment(rule)) ?? [];
  if (TERMINAL[table]?.has(target)) return target !== 'RETURN' || seen.length === 0;
  const inside = seen.includes(target) ? undefined : rulesOf(tables, table, target);
  for (const next of inside ?? []) {
    if (withoutComment(next) === '-j RETURN') return false;
    if (catchesAll({ tables, table, rule: next, seen: [...seen, target] })) return true;
  }
  return false;
}
