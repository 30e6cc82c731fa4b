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

/**
 * Runs a shell script where drills are alone: a /run, a /proc and processes of its own, so that a script may remove all drills there
 * are without touching those of other tests. `$flannelctl` is the executable; what the script prints is returned.
 */
export function alone(script: string, ...args: readonly string[]): string {
  const prepare = 'mount -t proc proc /proc && mount -t tmpfs tmpfs /run && flannelctl=$1 && shift && eval "$(cat)"';
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
  const argv = [...namespaces, 'sh', '-c', prepare, 'sh', PROGRAM, ...args];
  const { stdout, stderr } = spawnSync('unshare', argv, { input: script, encoding: 'utf8', timeout: 60_000 });
  return `${stdout}${stderr}`;
}

/** Without the named network namespaces, which other tests make and remove meanwhile: a mount whose directory goes is gone here too. */
export const LIST_MOUNTS = "grep -v ' /run/netns' /proc/self/mountinfo";

/** For {@link alone}: tells what a drill has left behind, and nothing when that is nothing. */
export const TELL_LEFTOVERS = `
ls -A /run
for path in /proc/[0-9]*; do tr '\\0' ' ' <$path/cmdline; echo; done | grep -E '[h]older.sh|[/]opt/bin/flanneld|[e]tcd '
[ "$(${LIST_MOUNTS})" = "$mounts" ] || echo 'mounts differ'
`;

/** What a node could change on this machine with root's rights; other tests do not touch it. */
export function machineState(): Record<string, unknown> {
  return {
    links: execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' }),
    routes: execFileSync('ip', ['route'], { encoding: 'utf8' }),
    rules: spawnSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }).stdout,
    forward: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'),
    hostname: readFileSync('/proc/sys/kernel/hostname', 'utf8'),
  };
}

/** Pids of the processes of a drill; zombies have no command line and are left out. */
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
