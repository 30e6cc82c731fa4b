import * as v from 'valibot';
import { AbsentError, UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { holderScriptPath, stateDirectory, tagOfHolderScript } from './layout.ts';
import { type DrillTools, waitFor } from './tools.ts';

/** The first process of a node's namespaces, as the machine sees it. */
export const holderSchema = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(2)),
  /** Field 22 of /proc/PID/stat: with the pid it names one process for ever. */
  startTicks: v.string(),
});
export type Holder = Readonly<v.InferOutput<typeof holderSchema>>;

export interface HolderRequest {
  readonly tag: string;
  readonly name: string;
  readonly kind: 'node' | 'switch';
  /** 0 for the switch. */
  readonly index: number;
  /** flannelctl, then what runs as flanneld: paths that must be seen in the node. */
  readonly programs: readonly string[];
}

/** Makes the namespaces and waits until all is mounted. They end with the process: nothing else keeps them. */
export async function startHolder(tools: DrillTools, request: HolderRequest): Promise<Holder> {
  const { tag, name, kind, index, programs } = request;
  const state = stateDirectory(tag);
  const log = `${state}/${name}.log`;
  const namespaces = ['--net', '--mount', '--uts', '--pid', '--fork', '--kill-child'];
  const script = ['sh', holderScriptPath(tag), tag, name, state, kind, String(index), ...programs];
  const { pid } = await tools.writer.spawn(['unshare', ...namespaces, ...script], { logFile: log });
  const told = await waitFor(tools, { timeoutMs: 10_000, everyMs: 10 }, async () => {
    const text = await readIfThere(tools.host, `${state}/${name}.pid`);
    if (text?.endsWith('\n')) return text.trim();
    return (await readProcess(tools.host, pid)) === undefined ? 'ended' : undefined;
  });
  if (told === undefined || !/^\d+$/.test(told)) throw await notMade(tools.host, name, log);
  const holder = await readProcess(tools.host, Number(told));
  if (holder === undefined) throw await notMade(tools.host, name, log);
  return holder;
}

/** Whether it is still the same process. */
export async function isAlive(host: Host, holder: Holder): Promise<boolean> {
  return (await readProcess(host, holder.pid))?.startTicks === holder.startTicks;
}

/** `undefined` for one that ended, also when nobody has reaped it yet. */
async function readProcess(host: Host, pid: number): Promise<Holder | undefined> {
  const stat = await readIfThere(host, `/proc/${pid}/stat`);
  // The name in parentheses may hold anything; what follows its last one is fields 3 and on.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTicks = fields?.[19];
  return startTicks === undefined || fields?.[0] === 'Z' ? undefined : { pid, startTicks };
}

async function notMade(host: Host, name: string, log: string): Promise<UnavailableError> {
  const said = (await readIfThere(host, log))?.trim() ?? '';
  const denied = /not permitted|Permission denied/i.test(said);
  return new UnavailableError(
    denied ? 'permission' : 'unsupported',
    `the namespaces of ${name} could not be made: ${JSON.stringify(said.slice(0, 300))}`,
    { hint: 'Run the drill as root, outside of a container or in a privileged one.' },
  );
}

export interface FoundHolder {
  readonly tag: string;
  readonly pid: number;
  readonly startTicks: string;
}

/** Every holder on this machine, by its command line alone: of drills that run and of what a crash left behind. */
export async function findHolders(host: Host): Promise<readonly FoundHolder[]> {
  const pids = (await host.readDir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => asHolder(host, pid)));
  return found.filter((holder) => holder !== undefined);
}

async function asHolder(host: Host, pid: number): Promise<FoundHolder | undefined> {
  const argv = (await readIfThere(host, `/proc/${pid}/cmdline`))?.split('\0') ?? [];
  const isHolder = argv[0] === 'unshare' || argv[0] === 'sh';
  const tag = isHolder ? tagOfHolderScript(argv[argv.lastIndexOf('sh') + 1] ?? '') : undefined;
  if (tag === undefined) return undefined;
  const holder = await readProcess(host, pid);
  return holder === undefined ? undefined : { tag, ...holder };
}

/** Nothing for what ended meanwhile; procfs says ESRCH for a process that ends while it is read. */
async function readIfThere(host: Host, path: string): Promise<string | undefined> {
  try {
    return await host.readFile(path);
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}
