import * as v from 'valibot';
import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { Family } from '../net/cidr.ts';
import { nftRuleText } from './traffic-nft-text.ts';
import type { TrafficStep } from './traffic-plan.ts';
import type { FamilyTraffic, TrafficRules } from './traffic-rules.ts';
import { isUnknownToKernel, runOrMissing } from './traffic-tools.ts';

const TABLES = { 4: 'ip flannel-ipv4', 6: 'ip6 flannel-ipv6' } as const;
const COMMENTS = {
  forward: 'chain to accept flannel traffic',
  masquerade: 'chain to manage traffic masquerading by flannel',
} as const;
const BASES = {
  forward: { chain: 'forward', type: 'filter', hook: 'forward', priority: 0, named: 'filter' },
  masquerade: { chain: 'postrtg', type: 'nat', hook: 'postrouting', priority: 100, named: 'srcnat' },
} as const;
const PURPOSES = ['forward', 'masquerade'] as const;

/** Chains of one of flannel's tables: what makes each a base chain, and its rules, as text. */
export type NftChains = Readonly<Record<string, { readonly base: string; readonly rules: readonly string[] }>>;

/** `missing`: nft is not installed. A table that is not there is `null`. */
export type NftTables = Readonly<Record<Family, NftChains | null>> | 'missing';

/** @throws {UnavailableError} when nft is installed and cannot be read. */
export async function readNftTables(host: Host): Promise<NftTables> {
  const [ipv4, ipv6] = await Promise.all([readTable(host, 4), readTable(host, 6)]);
  return ipv4 === 'missing' || ipv6 === 'missing' ? 'missing' : { 4: ipv4, 6: ipv6 };
}

async function readTable(host: Host, family: Family): Promise<NftChains | null | 'missing'> {
  const [kind, name] = TABLES[family].split(' ');
  const result = await runOrMissing(host, ['nft', '-j', 'list', 'table', kind ?? '', name ?? '']);
  if (result === undefined) return 'missing';
  if (result.exitCode === 0) return parseTable(result.stdout);
  if (isUnknownToKernel(result) || /No such file or directory/.test(result.stderr)) return null;
  const reason = /not permitted|ermission denied/.test(result.stderr) ? 'permission' : 'unsupported';
  throw new UnavailableError(reason, `nft list table ${TABLES[family]} failed: ${result.stderr.split('\n')[0] ?? ''}`);
}

const chainSchema = v.object({
  name: v.string(),
  type: v.optional(v.string()),
  hook: v.optional(v.string()),
  prio: v.optional(v.number()),
  policy: v.optional(v.string()),
});
const listingSchema = v.object({
  nftables: v.array(
    v.object({
      chain: v.optional(chainSchema),
      rule: v.optional(v.object({ chain: v.string(), expr: v.array(v.record(v.string(), v.unknown())) })),
    }),
  ),
});

function parseTable(json: string): NftChains {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), listingSchema), json);
  if (!parsed.success) throw new UnavailableError('malformed', 'output of "nft -j list table" is not as expected');
  const items = parsed.output.nftables;
  const rules = items.flatMap(({ rule }) => rule ?? []);
  const chains = items.flatMap(({ chain }) => chain ?? []);
  return Object.fromEntries(
    chains.map(({ name, type, hook, prio, policy }) => {
      const own = rules.filter(({ chain }) => chain === name).map(({ expr }) => nftRuleText(expr));
      return [name, { base: `${type} ${hook} ${prio} ${policy}`, rules: own }];
    }),
  );
}

/**
 * What has to be written so that flannel's tables hold these rules and nothing else; `undefined`: nothing. In nftables mode both
 * tables exist, also that of a family that is off; in the other mode neither does.
 *
 * @throws {UnavailableError} `missing-tool` when rules are wanted and nft is not installed.
 */
export function planNft(tables: NftTables, { mode, families }: TrafficRules): TrafficStep | undefined {
  if (tables === 'missing' && mode === 'iptables') return undefined;
  if (tables === 'missing') {
    const hint = 'Install nftables, or turn EnableNFTables off.';
    throw new UnavailableError('missing-tool', 'nft is not installed, and EnableNFTables asks for it', { hint });
  }
  const lines = families.flatMap((traffic) =>
    mode === 'nftables' ? planTable(tables[traffic.family], traffic) : dropTable(tables[traffic.family], traffic),
  );
  if (lines.length === 0) return undefined;
  return { argv: ['nft', '-f', '-'], input: `${lines.join('\n')}\n`, changes: lines.map((line) => `nft ${line}`) };
}

function dropTable(actual: NftChains | null, { family }: FamilyTraffic): readonly string[] {
  return actual === null ? [] : [`delete table ${TABLES[family]}`];
}

/** Made anew as a whole: a chain's type, hook and priority cannot be changed, and the table is flannel's alone. */
function planTable(actual: NftChains | null, traffic: FamilyTraffic): readonly string[] {
  if (actual !== null && isSame(actual, traffic)) return [];
  const table = TABLES[traffic.family];
  return [
    ...(actual === null ? [] : [`delete table ${table}`]),
    `add table ${table}`,
    ...PURPOSES.flatMap((purpose) => {
      const { chain, type, hook, named } = BASES[purpose];
      const rules = traffic[purpose];
      if (rules === null) return [];
      const base = `type ${type} hook ${hook} priority ${named}; policy accept; comment "${COMMENTS[purpose]}";`;
      return [`add chain ${table} ${chain} { ${base} }`, ...rules.map((rule) => `add rule ${table} ${chain} ${rule}`)];
    }),
  ];
}

/** Comments do not count: nft before 1.0 neither keeps nor prints those of chains. */
function isSame(actual: NftChains, traffic: FamilyTraffic): boolean {
  const wanted = PURPOSES.filter((purpose) => traffic[purpose] !== null);
  return (
    Object.keys(actual).length === wanted.length &&
    wanted.every((purpose) => {
      const { chain, type, hook, priority } = BASES[purpose];
      const held = actual[chain];
      return (
        held?.base === `${type} ${hook} ${priority} accept` && held.rules.join('\n') === traffic[purpose]?.join('\n')
      );
    })
  );
}
