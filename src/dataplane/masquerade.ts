import { ApplyError, type ApplyFailure, UnavailableError } from '../errors.ts';
import type { Host, HostWriter } from '../host/host.ts';
import type { Family } from '../net/cidr.ts';
import { planIptables } from './traffic-iptables.ts';
import { planNft, readNftTables } from './traffic-nft.ts';
import type { TrafficStep } from './traffic-plan.ts';
import { type FamilyTraffic, NO_TRAFFIC_RULES, type TrafficRules } from './traffic-rules.ts';
import { type IptablesProgram, readIptables, usedVariant } from './traffic-tools.ts';

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
}

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
  let steps = await planTrafficRules({ host, rules });
  for (let round = 0; round < MAX_ROUNDS && steps.length > 0; round += 1) {
    const failures = await runSteps(writer, steps);
    if (failures.length > 0) throw new ApplyError(failures);
    changes.push(...steps.flatMap((step) => step.changes));
    steps = await planTrafficRules({ host, rules });
  }
  if (steps.length > 0) throw new ApplyError(steps.map(notLasting));
  return { changes };
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
  const [programs, tables] = await Promise.all([readPrograms(host), readNftTables(host)]);
  const nft = planNft(tables, rules);
  const iptables = rules.families.flatMap((traffic) => planFamily(programs, traffic, rules.mode));
  const written = [...iptables.filter(({ isOurs }) => isOurs), ...iptables.filter(({ isOurs }) => !isOurs)];
  const steps = written.map(({ step }) => step);
  return (rules.mode === 'nftables' ? [nft, ...steps] : [...steps, nft]).filter((step) => step !== undefined);
}

async function readPrograms(host: Host): Promise<readonly IptablesProgram[]> {
  return (await Promise.all([readIptables(host, 4), readIptables(host, 6)])).flat();
}

interface ProgramStep {
  /** Whether it writes the rules, not only removes what is left. */
  readonly isOurs: boolean;
  readonly step: TrafficStep;
}

function planFamily(
  programs: readonly IptablesProgram[],
  traffic: FamilyTraffic,
  mode: TrafficRules['mode'],
): readonly ProgramStep[] {
  const own = programs.filter(({ family }) => family === traffic.family);
  const variant = usedVariant(programs);
  const isWanted = mode === 'iptables' && (traffic.masquerade !== null || traffic.forward !== null);
  const writing = isWanted ? (own.find((program) => program.variant === variant) ?? own[0]) : undefined;
  if (isWanted && writing === undefined) throw missingIptables(traffic.family);
  return own.flatMap((program) => {
    const isOurs = program === writing;
    const step = planIptables({ program, traffic, isWriting: isOurs });
    return step === undefined ? [] : [{ isOurs, step }];
  });
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
