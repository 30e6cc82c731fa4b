import { bareLeftovers } from './traffic-leftovers.ts';
import type { TrafficStep } from './traffic-plan.ts';
import { COMMENT, type FamilyTraffic } from './traffic-rules.ts';
import { firstCatchAll, rulesOf, type SavedTables } from './traffic-saved.ts';
import type { IptablesProgram } from './traffic-tools.ts';

/** A chain of flannel's and where it is entered. */
interface OwnChain {
  readonly purpose: 'masquerade' | 'forward';
  readonly table: 'nat' | 'filter';
  readonly chain: 'FLANNEL-POSTRTG' | 'FLANNEL-FWD';
  readonly base: 'POSTROUTING' | 'FORWARD';
}

const OWN_CHAINS: readonly OwnChain[] = [
  { purpose: 'masquerade', table: 'nat', chain: 'FLANNEL-POSTRTG', base: 'POSTROUTING' },
  { purpose: 'forward', table: 'filter', chain: 'FLANNEL-FWD', base: 'FORWARD' },
];

export interface IptablesPlanInput {
  readonly program: IptablesProgram;
  /** What is wanted on this host, by whatever means. */
  readonly traffic: FamilyTraffic;
  /** Whether this program holds it; else nothing of flannel's stays with it. */
  readonly isWriting: boolean;
}

/** What has to be written with this program so that it holds flannel's rules and no others of flannel's; `undefined`: nothing. */
export function planIptables(input: IptablesPlanInput): TrafficStep | undefined {
  const { program } = input;
  const tables = OWN_CHAINS.map((own) => ({ own, lines: planChain(own, input) }));
  const changed = tables.filter(({ lines }) => lines.length > 0);
  if (changed.length === 0) return undefined;
  return {
    argv: [`${program.name}-restore`, '--noflush', ...(program.waits ? ['--wait'] : [])],
    input: changed.map(({ own, lines }) => `*${own.table}\n${lines.join('\n')}\nCOMMIT\n`).join(''),
    changes: changed.flatMap(({ own, lines }) => lines.map((line) => commandOf(program.name, own.table, line))),
  };
}

/** A line of a restore as the command that does the same. */
function commandOf(name: string, table: string, line: string): string {
  const declared = /^:(\S+) /.exec(line)?.[1];
  return `${name} -t ${table} ${declared === undefined ? line : `-F ${declared}`}`;
}

function planChain(own: OwnChain, { program, traffic, isWriting }: IptablesPlanInput): readonly string[] {
  const { saved } = program;
  const base = rulesOf(saved, own.table, own.base) ?? [];
  const leftovers = bareLeftovers({ purpose: own.purpose, rules: base, traffic });
  const wanted = isWriting ? traffic[own.purpose] : null;
  const scene = { own, saved, base, leftovers };
  if (wanted === null) return removeChain(scene);
  return isInOrder(scene, wanted) ? leftovers.map((rule) => `-D ${own.base} ${rule}`) : writeChain(scene, wanted);
}

interface Scene {
  readonly own: OwnChain;
  readonly saved: SavedTables;
  /** Rules of the chain that ours is entered from. */
  readonly base: readonly string[];
  readonly leftovers: readonly string[];
}

function jumpOf({ purpose, chain }: OwnChain): string {
  return `-m comment --comment "${COMMENT[purpose]}" -j ${chain}`;
}

/** Same rules in the same order, entered once, before any rule after which nothing would get there. */
function isInOrder({ own, saved, base }: Scene, wanted: readonly string[]): boolean {
  const jump = jumpOf(own);
  const barrier = firstCatchAll(saved, own.table, base) ?? base.length;
  const entered = base.filter((rule) => rule === jump).length === 1 && base.indexOf(jump) < barrier;
  const actual = rulesOf(saved, own.table, own.chain);
  return entered && actual?.length === wanted.length && actual.every((rule, at) => rule === wanted[at]);
}

function writeChain(scene: Scene, wanted: readonly string[]): readonly string[] {
  const { own, saved, base, leftovers } = scene;
  const gone = new Set([jumpOf(own), ...leftovers]);
  const kept = base.filter((rule) => !gone.has(rule));
  const barrier = firstCatchAll(saved, own.table, kept);
  return [
    `:${own.chain} - [0:0]`,
    ...deletions(scene),
    ...wanted.map((rule) => `-A ${own.chain} ${rule}`),
    // Appended, as flannel does, unless nothing would get past what is already there.
    `${barrier === undefined ? `-A ${own.base}` : `-I ${own.base} ${barrier + 1}`} ${jumpOf(own)}`,
  ];
}

/** A chain that somebody else still jumps to stays, empty: the kernel would refuse to delete it, and the whole transaction with it. */
function removeChain(scene: Scene): readonly string[] {
  const { own, saved } = scene;
  const rules = rulesOf(saved, own.table, own.chain);
  if (rules === undefined) return deletions(scene);
  const isReferenced = isUsedByOthers(scene);
  if (isReferenced && rules.length === 0) return deletions(scene);
  return [`:${own.chain} - [0:0]`, ...deletions(scene), ...(isReferenced ? [] : [`-X ${own.chain}`])];
}

/** One for each copy: each takes the first that is equal. */
function deletions({ own, base, leftovers }: Scene): readonly string[] {
  const gone = new Set([jumpOf(own), ...leftovers]);
  return base.filter((rule) => gone.has(rule)).map((rule) => `-D ${own.base} ${rule}`);
}

function isUsedByOthers({ own, saved }: Scene): boolean {
  const jump = jumpOf(own);
  const leads = (rule: string) => rule !== jump && new RegExp(`-[jg] ${own.chain}( |$)`).test(rule);
  return [...(saved[own.table]?.chains.values() ?? [])].flat().some(leads);
}
