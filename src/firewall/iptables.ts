import { parseRuleLine } from './iptables-rule.ts';
import type { BaseChain, Chain, Hook, Rule } from './ruleset.ts';

export interface SavedTables {
  /** Program to name the rules with: `iptables`, `ip6tables-legacy`. */
  readonly program: string;
  readonly family: 'ip' | 'ip6';
  /** Output of `iptables-save -c`. */
  readonly text: string;
}

/** The chains of iptables-save(8). A table cut off before its COMMIT, or with a line that cannot be read, is left out. */
export function parseIptables(saved: SavedTables): readonly Chain[] {
  return tablesOf(saved.text).flatMap((table) => parseTable(table, saved) ?? []);
}

interface SavedTable {
  readonly name: string;
  readonly lines: readonly string[];
}

function tablesOf(text: string): readonly SavedTable[] {
  return [...text.matchAll(/^\*(\S+)\n([\s\S]*?)^(?:COMMIT$|(?=\*))/gm)]
    .filter(([whole]) => whole.endsWith('COMMIT'))
    .map(([, name = '', body = '']) => ({ name, lines: body.split('\n').filter(isContent) }));
}

function isContent(line: string): boolean {
  return line !== '' && !line.startsWith('#');
}

function parseTable(table: SavedTable, saved: SavedTables): readonly Chain[] | undefined {
  const rules = new Map<string, Rule[]>();
  const chains: Chain[] = [];
  for (const line of table.lines) {
    const header = /^:(\S+) (\S+)/.exec(line);
    const parsed = header === null ? parseRuleLine({ program: saved.program, table: table.name, line }) : undefined;
    if (header !== null) {
      const name = header[1] ?? '';
      const list: Rule[] = [];
      rules.set(name, list);
      const base = baseOf(table.name, name, header[2] ?? '-');
      chains.push({ family: saved.family, table: table.name, name, program: saved.program, base, rules: list });
    } else if (parsed === undefined) return undefined;
    else rules.get(parsed.chain)?.push(parsed.rule);
  }
  return chains;
}

function baseOf(table: string, chain: string, policy: string): BaseChain | null {
  const hook = HOOKS[chain];
  if (policy === '-' || hook === undefined) return null;
  const priority = priorityOf(table, hook);
  return { hook, priority, policy: policy === 'DROP' ? 'drop' : 'accept', devices: null };
}

const HOOKS: Readonly<Record<string, Hook>> = {
  PREROUTING: 'prerouting',
  INPUT: 'input',
  FORWARD: 'forward',
  OUTPUT: 'output',
  POSTROUTING: 'postrouting',
};

/** linux/netfilter_ipv4.h, enum nf_ip_hook_priorities. */
function priorityOf(table: string, hook: Hook): number {
  switch (table) {
    case 'raw':
      return -300;
    case 'mangle':
      return -150;
    case 'nat':
      return hook === 'input' || hook === 'postrouting' ? 100 : -100;
    case 'security':
      return 50;
    default:
      return 0;
  }
}
