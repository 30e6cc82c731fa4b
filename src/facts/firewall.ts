import { AbsentError, UnavailableError } from '../errors.ts';
import { combine } from '../firewall/combine.ts';
import { parseIptables } from '../firewall/iptables.ts';
import { EMPTY_RULESET, parseNftRuleset } from '../firewall/nft.ts';
import { parseNftText } from '../firewall/nft-text.ts';
import { printable } from '../firewall/quote.ts';
import type { Chain, Ruleset } from '../firewall/ruleset.ts';
import type { Argv, ExecResult, Host } from '../host/host.ts';
import { defineFact } from './fact.ts';
import { overlayEchoFact } from './probes.ts';

/** All packet filter rules of this network namespace: nftables, iptables over nftables, legacy iptables; both families. */
export const firewallFact = defineFact<Ruleset>({
  name: 'firewall',
  cost: 'passive',
  timeoutMs: 8000,
  collect: ({ host }) => readFirewall(host),
});

/** The same once more after the overlay was probed, so that a rule's counter shows what it caught meanwhile. */
export const firewallAfterProbesFact = defineFact<Ruleset>({
  name: 'firewall-after-probes',
  cost: 'active',
  timeoutMs: 20_000,
  collect: async (context) => {
    await context.get(firewallFact);
    await context.observe(overlayEchoFact);
    return readFirewall(context.host);
  },
});

/**
 * What cannot exist is not asked for: a ruleset without rules has no handles to name, and rules of iptables over nftables stand in
 * tables that nft shows.
 * @throws {UnavailableError} when rules may exist that cannot be read: no right to, or their tool is missing.
 */
export async function readFirewall(host: Host): Promise<Ruleset> {
  const json = await runOrMissing(host, ['nft', '-j', 'list', 'ruleset']);
  const isEmpty = json?.exitCode === 0 && !json.stdout.includes('"chain"');
  const [nft, compat, legacy] = await Promise.all([
    readNft(host, json),
    isEmpty ? [] : readCompat(host),
    readLegacy(host),
  ]);
  return combine({ nft, iptablesNft: compat, legacy });
}

async function readNft(host: Host, json: ExecResult | undefined): Promise<Ruleset> {
  if (json === undefined) return withoutNft(host);
  if (lacksNfTables(json)) return EMPTY_RULESET;
  requireSuccess('nft -j list ruleset', json);
  const listing = json.stdout.includes('"rule"')
    ? await runOrMissing(host, ['nft', '-a', 'list', 'ruleset'])
    : undefined;
  return parseNftRuleset(json.stdout, parseNftText(listing?.stdout ?? ''));
}

/** A kernel that has not loaded nf_tables has no rules there; one with nf_tables built in gives no sign, so nobody can say. */
async function withoutNft(host: Host): Promise<Ruleset> {
  if (!(await isPresent(host, '/sys/module/nf_tables')) && !(await isBuiltIn(host))) return EMPTY_RULESET;
  throw new UnavailableError('missing-tool', 'nft is not installed, and the kernel may hold rules of nftables', {
    hint: 'Install nftables.',
  });
}

async function isPresent(host: Host, path: string): Promise<boolean> {
  try {
    await host.stat(path);
    return true;
  } catch (error) {
    if (error instanceof AbsentError) return false;
    throw error;
  }
}

async function isBuiltIn(host: Host): Promise<boolean> {
  const { kernel } = await host.identity();
  const list = await readOrAbsent(host, `/lib/modules/${kernel}/modules.builtin`);
  return list === undefined || list.includes('/nf_tables.ko');
}

async function readCompat(host: Host): Promise<readonly Chain[]> {
  const tables = await Promise.all(FAMILIES.map((family) => readCompatOf(host, family)));
  return tables.flat();
}

const FAMILIES = [
  { family: 'ip', program: 'iptables', names: '/proc/net/ip_tables_names' },
  { family: 'ip6', program: 'ip6tables', names: '/proc/net/ip6_tables_names' },
] as const;

type IptablesFamily = (typeof FAMILIES)[number];

/** nft shows these tables too, without the words of iptables; where they cannot be read its own words must do. */
async function readCompatOf(host: Host, { family, program }: IptablesFamily): Promise<readonly Chain[]> {
  const plain = await variantOf(host, program);
  const name = plain === 'nft' ? program : `${program}-nft`;
  const saved = await runOrMissing(host, [`${name}-save`, '-c']);
  if (saved === undefined || saved.exitCode !== 0) return [];
  return parseIptables({ program: name, family, text: saved.stdout });
}

async function readLegacy(host: Host): Promise<readonly Chain[]> {
  const tables = await Promise.all(FAMILIES.map((family) => readLegacyOf(host, family)));
  return tables.flat();
}

/** Legacy tables exist only when the kernel lists them; asking for one by name would make it. */
async function readLegacyOf(host: Host, { family, program, names }: IptablesFamily): Promise<readonly Chain[]> {
  const existing = await readOrAbsent(host, names);
  if (existing === undefined || existing.trim() === '') return [];
  const name = (await variantOf(host, program)) === 'legacy' ? program : `${program}-legacy`;
  const saved = await runOrMissing(host, [`${name}-save`, '-c']);
  if (saved === undefined) throw missingLegacy(name, existing);
  requireSuccess(`${name}-save`, saved);
  const chains = parseIptables({ program: name, family, text: saved.stdout });
  requireTables(chains, existing, name);
  return chains;
}

function missingLegacy(name: string, tables: string): UnavailableError {
  const list = printable(tables.trim().split('\n').join(', '));
  return new UnavailableError(
    'missing-tool',
    `the kernel holds legacy tables (${list}), and ${name}-save is not installed`,
    {
      hint: 'Install iptables.',
    },
  );
}

function requireTables(chains: readonly Chain[], existing: string, name: string): void {
  const missing = existing
    .trim()
    .split('\n')
    .find((table) => !chains.some((chain) => chain.table === table));
  if (missing === undefined) return;
  throw new UnavailableError('malformed', `${name}-save does not print all of table ${printable(missing)}`);
}

/** `iptables v1.8.9 (nf_tables)`; before 1.8 there was but one kind and no word for it. */
async function variantOf(host: Host, program: string): Promise<'nft' | 'legacy' | 'missing'> {
  const version = await runOrMissing(host, [program, '--version']);
  if (version === undefined || version.exitCode !== 0) return 'missing';
  return version.stdout.includes('(nf_tables)') ? 'nft' : 'legacy';
}

/** `undefined` when the program is not installed. */
async function runOrMissing(host: Host, argv: Argv): Promise<ExecResult | undefined> {
  try {
    return await host.exec(argv);
  } catch (error) {
    if (error instanceof UnavailableError && error.reason === 'missing-tool') return undefined;
    throw error;
  }
}

async function readOrAbsent(host: Host, path: string): Promise<string | undefined> {
  try {
    return await host.readFile(path);
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}

function lacksNfTables(result: ExecResult): boolean {
  return result.exitCode !== 0 && /Protocol not supported/.test(result.stderr);
}

function requireSuccess(what: string, result: ExecResult): void {
  if (result.exitCode === 0) return;
  const said = printable(result.stderr.trim().split('\n')[0] ?? '');
  const reason = /not permitted|ermission denied|must be root/.test(result.stderr) ? 'permission' : 'unsupported';
  throw new UnavailableError(reason, `${what} failed: ${said}`);
}
