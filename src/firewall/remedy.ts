import { shellWord } from '../shell-word.ts';
import type { Blocker } from './evaluate.ts';
import type { Chain, Rule, Ruleset } from './ruleset.ts';

/** A blocker in words and commands; plain JSON. */
export interface BlockerReport {
  readonly kind: 'rule' | 'policy';
  /** `nft rule inet filter input handle 41`, `policy of iptables -t filter INPUT`. */
  readonly label: string;
  /** The rule, or `policy drop`. */
  readonly text: string;
  /** Lists what is reported: `nft -a list chain inet filter input`. */
  readonly source: string;
  /** Opens the way: deletes a rule that names the packet, else lets it in ahead of one that stops everything. */
  readonly command: string;
}

/** What to let through ahead of a policy or a rule that is meant for everything. */
export interface Exception {
  readonly direction: 'in' | 'out';
  readonly device: string;
  readonly port: number;
}

export function reportBlocker(blocker: Blocker, exception: Exception): BlockerReport {
  const { base } = blocker;
  const source = listCommand(base);
  if (blocker.kind === 'policy') {
    return { kind: 'policy', label: policyLabel(base), text: 'policy drop', source, command: accept(base, exception) };
  }
  const { rule } = blocker;
  const command = namesPacket(rule) ? rule.deleteCommand : accept(base, exception);
  return { kind: 'rule', label: rule.label, text: rule.text, source, command };
}

export function policyLabel(base: Chain): string {
  return base.program === 'nft'
    ? `policy of nft chain ${base.family} ${base.table} ${base.name}`
    : `policy of ${base.program} -t ${base.table} ${base.name}`;
}

/** Prints the chain as its program shows it, with counters and handles. */
export function listCommand(base: Chain): string {
  return base.program === 'nft'
    ? `nft -a list table ${base.family} ${shellWord(base.table)}`
    : `${base.program}-save -c -t ${base.table}`;
}

/** How many packets the rule of that label counted between two readings; `undefined`: it has no counter, or is gone. */
export function growthOf(label: string, before: Ruleset, after: Ruleset): number | undefined {
  const [old, now] = [countersOf(label, before), countersOf(label, after)];
  if (old.length === 0 || old.length !== now.length) return undefined;
  return Math.max(...now.map((packets, index) => packets - (old[index] ?? 0)));
}

function countersOf(label: string, { chains }: Ruleset): readonly number[] {
  const rules = chains.flatMap((chain) => chain.rules.filter((rule) => rule.label === label));
  return rules.flatMap(({ packets }) => (packets === null ? [] : [packets]));
}

/** A rule for this port or these addresses goes; one without is the end of a firewall that somebody wants. */
function namesPacket({ conditions }: Rule): boolean {
  const named = conditions.flatMap((condition) =>
    condition.kind === 'compare' && !condition.isNegated ? condition.operands : [],
  );
  return named.some(({ field }) => field === 'dport' || field === 'saddr' || field === 'daddr');
}

function accept(base: Chain, exception: Exception): string {
  return base.program === 'nft' ? acceptByNft(base, exception) : acceptByIptables(base, exception);
}

/** Before routing only the device of arrival exists, after it only that of departure. */
function acceptByIptables(base: Chain, { direction, device, port }: Exception): string {
  const where = direction === 'in' ? ['-i', device] : ['-o', device];
  const what = ['-p', 'udp', '--dport', String(port), '-j', 'ACCEPT'];
  return [base.program, '-t', base.table, '-I', base.name, '1', ...where, ...what].map(shellWord).join(' ');
}

function acceptByNft(base: Chain, { direction, device, port }: Exception): string {
  const where = base.family === 'netdev' ? [] : [direction === 'in' ? 'iifname' : 'oifname', device];
  const what = ['udp', 'dport', String(port), 'accept'];
  return ['nft', 'insert', 'rule', base.family, base.table, base.name, ...where, ...what].map(shellWord).join(' ');
}
