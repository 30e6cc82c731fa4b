import { UnavailableError } from '../errors.ts';
import type { Argv, ExecResult, Host } from '../host/host.ts';
import type { Family } from '../net/cidr.ts';
import { parseSavedTables, type SavedTables } from './traffic-saved.ts';

export type IptablesVariant = 'nft' | 'legacy';

/** One of the two iptables a host may have. */
export interface FoundIptables {
  readonly family: Family;
  readonly variant: IptablesVariant;
  /** `iptables`, `ip6tables-legacy`: `-save` and `-restore` are appended to it. */
  readonly name: string;
  /** Whether it is the one that `iptables` runs. */
  readonly isDefault: boolean;
  /** `--wait` for the lock of the legacy tables: since 1.6.2. */
  readonly waits: boolean;
}

/** With the rules it sees. */
export interface IptablesProgram extends FoundIptables {
  readonly saved: SavedTables;
}

const PLAIN = { 4: 'iptables', 6: 'ip6tables' } as const;

/** `--random-fully` and `iptables-restore --wait` came with it. */
const SINCE: readonly [number, number, number] = [1, 6, 2];

/**
 * The programs of one family that are installed, the default one first, with what each holds. Reading makes no table: without `-t` the
 * legacy one prints those that exist.
 *
 * @throws {UnavailableError} when an installed one cannot be read.
 */
export async function readIptables(host: Host, family: Family): Promise<readonly IptablesProgram[]> {
  const version = await runOrMissing(host, [PLAIN[family], '--version']);
  if (version === undefined || version.exitCode !== 0) return [];
  const plain: IptablesVariant = version.stdout.includes('(nf_tables)') ? 'nft' : 'legacy';
  const other: IptablesVariant = plain === 'nft' ? 'legacy' : 'nft';
  const base = { family, waits: isRecent(version.stdout) };
  const read = await Promise.all([
    readProgram(host, { ...base, variant: plain, name: PLAIN[family], isDefault: true }),
    readProgram(host, { ...base, variant: other, name: `${PLAIN[family]}-${other}`, isDefault: false }),
  ]);
  return read.filter((program) => program !== undefined);
}

/** `undefined` when it is not installed, or this kernel has nothing of its kind. @throws {UnavailableError} when it cannot be read. */
export async function readProgram(host: Host, program: FoundIptables): Promise<IptablesProgram | undefined> {
  const command = `${program.name}-save`;
  const result = await runOrMissing(host, [command]);
  if (result === undefined || isUnknownToKernel(result)) return undefined;
  if (result.exitCode === 0) return { ...program, saved: parseSavedTables(result.stdout) };
  const reason = /not permitted|ermission denied|must be root/.test(result.stderr) ? 'permission' : 'unsupported';
  throw new UnavailableError(reason, `${command} failed: ${result.stderr.trim().split('\n')[0] ?? ''}`);
}

/** A kernel without nf_tables, or without IPv6, holds none of its rules. */
export function isUnknownToKernel({ exitCode, stderr }: ExecResult): boolean {
  return exitCode !== 0 && /Protocol not supported|Address family not supported/.test(stderr);
}

const MARKERS: readonly RegExp[] = [/^KUBE-/, /^FLANNEL-/, /^DOCKER/];

/**
 * The one that this host uses: where kube-proxy and kubelet have their chains, else flannel, else Docker; with chains in both or in
 * neither the default. One answer for both families.
 */
export function usedVariant(programs: readonly IptablesProgram[]): IptablesVariant {
  for (const marker of MARKERS) {
    const marked = new Set(programs.filter(({ saved }) => hasChain(saved, marker)).map(({ variant }) => variant));
    const [only] = marked;
    if (marked.size === 1 && only !== undefined) return only;
  }
  return programs.find(({ isDefault }) => isDefault)?.variant ?? 'nft';
}

function hasChain(saved: SavedTables, name: RegExp): boolean {
  return Object.values(saved).some(({ chains }) => [...chains.keys()].some((chain) => name.test(chain)));
}

/** Whether `MASQUERADE --random-fully` (nftables: `fully-random`, which every nft knows) may be written. */
export async function supportsRandomFully(host: Host, mode: 'iptables' | 'nftables'): Promise<boolean> {
  if (mode === 'nftables') return true;
  const version = await runOrMissing(host, [PLAIN[4], '--version']);
  return version !== undefined && isRecent(version.stdout);
}

/** `iptables v1.8.9 (nf_tables)` */
function isRecent(text: string): boolean {
  const found = /v(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number) ?? [];
  for (const [at, least] of SINCE.entries()) {
    const part = found[at] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

/** `undefined` when the program is not installed. */
export async function runOrMissing(host: Host, argv: Argv): Promise<ExecResult | undefined> {
  try {
    return await host.exec(argv);
  } catch (error) {
    if (error instanceof UnavailableError && error.reason === 'missing-tool') return undefined;
    throw error;
  }
}
