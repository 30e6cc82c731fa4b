import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodesOf } from '../../src/drill/cluster.ts';
import { removeDrill } from '../../src/drill/down.ts';
import type { DrillNode } from '../../src/drill/fault.ts';
import type { ClusterRecord } from '../../src/drill/record.ts';
import type { DrillTools } from '../../src/drill/tools.ts';
import { bringUp, type UpRequest } from '../../src/drill/up.ts';
import { openDrillTools } from '../../src/drill-world.ts';

/** What `npm run build` leaves: nodes run it. */
export const PROGRAM = join(import.meta.dirname, '../../dist/flannelctl');

export interface Lab {
  readonly tools: DrillTools;
  readonly record: ClusterRecord;
  readonly nodes: readonly DrillNode[];
  /** Removes it, however the test ended. */
  remove(): Promise<void>;
}

/** A cluster for a test, made in this process. @throws when the executable was not built. */
export async function openLab(parts: Partial<UpRequest> = {}): Promise<Lab> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: npm run build`);
  const tools = await openDrillTools(new AbortController().signal);
  const record = await bringUp(tools, { nodes: 3, store: 'file', program: PROGRAM, flanneld: null, ...parts });
  return { tools, record, nodes: nodesOf(tools, record), remove: () => removeDrill(tools, record.tag) };
}

/** The node of that number. */
export function nodeOf({ nodes }: Pick<Lab, 'nodes'>, index: number): DrillNode {
  const node = nodes[index - 1];
  if (node === undefined) throw new RangeError(`there is no node ${index}`);
  return node;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The executable, as a user runs it. */
export function flannelctl(...argv: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(PROGRAM, argv, { encoding: 'utf8', timeout: 60_000 });
  return { code: status, stdout, stderr };
}

/** What a drill could leave on this machine, or change on it. */
export function machineState(): Record<string, unknown> {
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    run: readdirSync('/run'),
    links: execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' }),
    namespaces: readdirSync('/var/run').includes('netns') ? readdirSync('/var/run/netns').filter(isOurs) : [],
    rules: spawnSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }).stdout,
    forward: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'),
    hostname: readFileSync('/proc/sys/kernel/hostname', 'utf8'),
  };
}

function isOurs(name: string): boolean {
  return name === 'pod';
}

/** Pids of the processes of a drill, zombies left out; of all drills when no tag is given. */
export function processesOf(tag: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => cmdline(pid).includes(`/run/flannelctl/drill/${tag}`))
    .map(Number);
}

function cmdline(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
    throw error;
  }
}
