import { ApplyError, type ApplyFailure, UnavailableError } from '../errors.ts';
import type { Host, HostWriter } from '../host/host.ts';
import type { Family } from '../net/cidr.ts';
import { planIptables } from './traffic-iptables.ts';
import { planNft, readNftTables } from './traffic-nft.ts';
import type { TrafficStep } from './traffic-plan.ts';
import { type FamilyTraffic, NO_TRAFFIC_RULES, type TrafficRules } from './traffic-rules.ts';
import { type FoundIptables, type IptablesProgram, readIptables, readProgram, usedVariant } from './traffic-tools.ts';

export type { TrafficStep } from './traffic-plan.ts';
export { desiredTrafficRules, type TrafficInput, type TrafficRules } from './traffic-rules.ts';
export { supportsRandomFully } from './traffic-tools.ts';

export interface TrafficPorts {
  readonly host: Host;
  readonly writer: HostWriter;
}

export interface TrafficOutcome {
  /** What was written, as single commands; empty: everything was in order and nothing was run. */
  readonly changes: readonly string[];
  /** What holds flannel's rules on this host now. */
  readonly holders: readonly RulesHolder[];
}

/** A program of one family. */
export type RulesHolder = FoundIptables;

/** Another program may write between our look and our transaction; after that it is a fight, and is told. */
const MAX_ROUNDS = 2;

/**
 * Puts flannel's rules where they are missing, changed or out of order, and removes what an older flannel or the other traffic manager
 * left. Rules of others stay as they are and where they are.
 *
 * @throws {ApplyError} naming the transactions that were refused or did not last; {UnavailableError} when something could not be read,
 *   `missing-tool` when what would have to write is not installed.
 */
export async function ensureTrafficRules({
  host,
  writer,
  rules,
}: TrafficPorts & { readonly rules: TrafficRules }): Promise<TrafficOutcome> {
  const changes: string[] = [];
  let look = await lookAtRules(host, rules);
  for (let round = 0; round < MAX_ROUNDS && look.steps.length > 0; round += 1) {
    const failures = await runSteps(writer, look.steps);
    if (failures.length > 0) throw new ApplyError(failures);
    changes.push(...look.steps.flatMap((step) => step.changes));
    look = await lookAtRules(host, rules);
  }
  if (look.steps.length > 0) throw new ApplyError(look.steps.map(notLasting));
  return { changes, holders: look.holders };
}

/**
 * Whether these hold the rules as they should be. Looks at nothing else: one process each, where {@link ensureTrafficRules} has to ask all
 * programs there are.
 *
 * @throws {UnavailableError} when something could not be read.
 */
export async function holdsTrafficRules(
  host: Host,
  rules: TrafficRules,
  holders: readonly RulesHolder[],
): Promise<boolean> {
  if (rules.mode === 'nftables') return planNft(await readNftTables(host), rules) === undefined;
  const held = await Promise.all(
    rules.families.filter(isAnyWanted).map(async (traffic) => {
      const holder = holders.find(({ family }) => family === traffic.family);
      const program = holder === undefined ? undefined : await readProgram(host, holder);
      return program !== undefined && planIptables({ program, traffic, isWriting: true }) === undefined;
    }),
  );
  return held.every(Boolean);
}

/** Removes everything of flannel's, in both modes, both iptables and both families. @throws as {@link ensureTrafficRules}. */
export function removeTrafficRules(ports: TrafficPorts): Promise<TrafficOutcome> {
  return ensureTrafficRules({ ...ports, rules: NO_TRAFFIC_RULES });
}

/**
 * What {@link ensureTrafficRules} would write, in order: new rules before old ones go, so that no packet meets neither. Empty: in order.
 *
 * @throws {UnavailableError} as {@link ensureTrafficRules}.
 */
export async function planTrafficRules({
  host,
  rules,
}: Pick<TrafficPorts, 'host'> & { readonly rules: TrafficRules }): Promise<readonly TrafficStep[]> {
  return (await lookAtRules(host, rules)).steps;
}

interface RulesLook {
  readonly steps: readonly TrafficStep[];
  readonly holders: readonly RulesHolder[];
}

async function lookAtRules(host: Host, rules: TrafficRules): Promise<RulesLook> {
  const [programs, tables] = await Promise.all([readPrograms(host), readNftTables(host)]);
  const nft = planNft(tables, rules);
  const iptables = rules.families.flatMap((traffic) => planFamily(programs, traffic, rules.mode));
  const written = [...iptables.filter(({ isOurs }) => isOurs), ...iptables.filter(({ isOurs }) => !isOurs)];
  const steps = written.flatMap(({ step }) => step ?? []);
  const inOrder = rules.mode === 'nftables' ? [nft, ...steps] : [...steps, nft];
  const holders = iptables.flatMap(({ isOurs, program }) => (isOurs ? [program] : []));
  return { steps: inOrder.filter((step) => step !== undefined), holders };
}

async function readPrograms(host: Host): Promise<readonly IptablesProgram[]> {
  return (await Promise.all([readIptables(host, 4), readIptables(host, 6)])).flat();
}

interface ProgramStep {
  /** Whether it writes the rules, not only removes what is left. */
  readonly isOurs: boolean;
  readonly program: FoundIptables;
  /** `undefined`: it is in order. */
  readonly step: TrafficStep | undefined;
}

function planFamily(
  programs: readonly IptablesProgram[],
  traffic: FamilyTraffic,
  mode: TrafficRules['mode'],
): readonly ProgramStep[] {
  const own = programs.filter(({ family }) => family === traffic.family);
  const variant = usedVariant(programs);
  const isWanted = mode === 'iptables' && isAnyWanted(traffic);
  const writing = isWanted ? (own.find((program) => program.variant === variant) ?? own[0]) : undefined;
  if (isWanted && writing === undefined) throw missingIptables(traffic.family);
  return own.map((program) => {
    const { saved: _, ...found } = program;
    const isOurs = program === writing;
    return { isOurs, program: found, step: planIptables({ program, traffic, isWriting: isOurs }) };
  });
}

function isAnyWanted({ masquerade, forward }: FamilyTraffic): boolean {
  return masquerade !== null || forward !== null;
}

function missingIptables(family: Family): UnavailableError {
  const name = family === 4 ? 'iptables' : 'ip6tables';
  return new UnavailableError('missing-tool', `${name} is not installed or cannot be used with this kernel`, {
    hint: 'Install iptables, or set EnableNFTables in the network configuration.',
  });
}

async function runSteps(writer: HostWriter, steps: readonly TrafficStep[]): Promise<readonly ApplyFailure[]> {
  const failures: ApplyFailure[] = [];
  for (const { argv, input } of steps) {
    const { exitCode, stderr } = await writer.run(argv, { input, timeoutMs: 30_000 });
    if (exitCode === 0) continue;
    failures.push({ operation: argv.join(' '), message: stderr.trim().slice(0, 500) || `exit ${exitCode}` });
  }
  return failures;
}

function notLasting({ argv, changes }: TrafficStep): ApplyFailure {
  return { operation: argv.join(' '), message: `did not last: ${changes[0] ?? ''}` };
}
