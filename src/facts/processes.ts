import { AbsentError, UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { maskArguments } from '../host/secrets.ts';
import { escapeText } from '../store/untrusted-text.ts';
import { defineFact } from './fact.ts';
import { assertWholeView } from './process-view.ts';
import { programName, programNamed } from './program-name.ts';

/** A process in the network namespace of this host. */
export interface ProcessInfo {
  readonly pid: number;
  /** Program, whatever its file is called in detail: `flanneld` (also of flanneld-amd64), `k3s`, `kubelet`. */
  readonly name: string;
  /** Arguments, argv[0] included; secret values masked. */
  readonly argv: readonly string[];
  /** Letter of /proc/PID/stat: `S`, `R`, `T` (stopped). A zombie does not run and is left out. */
  readonly state: string;
  /** Epoch ms. */
  readonly startedAt: number;
  /** Which unit or container it belongs to, as the cgroup says: `flanneld.service`, `kubepods`; `''`: neither. */
  readonly cgroup: string;
}

/**
 * Processes of this network namespace that have to do with flannel: flanneld, k3s, rke2, kubelet, containerd, dockerd, crio, and
 * flannelctl as an agent. `unknown` when one of them is there and its namespace cannot be read, or when processes are hidden from us.
 */
export const processesFact = defineFact<readonly ProcessInfo[]>({
  name: 'processes',
  cost: 'passive',
  timeoutMs: 5000,
  collect: ({ host }) => readProcesses(host),
});

/** Arguments of a process as they are, secrets included: never part of a fact's value. */
export async function readArguments(host: Host, pid: number): Promise<readonly string[]> {
  return splitNul(await host.readFile(`/proc/${pid}/cmdline`));
}

export async function readProcesses(host: Host): Promise<readonly ProcessInfo[]> {
  const names = await host.readDir('/proc');
  const pids = names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
  const candidates = (await Promise.all(pids.map((pid) => readCandidate(host, pid)))).filter(isThere);
  const here = (await Promise.all(candidates.map((candidate) => keepIfHere(host, candidate)))).filter(isThere);
  const bootedAt = await readBootTime(host);
  const running = await Promise.all(here.map((candidate) => readProcess(host, candidate, bootedAt)));
  if (!here.some(({ name }) => OWNERS.includes(name))) await assertWholeView(host, pids);
  return running.filter(isThere).sort((a, b) => a.pid - b.pid);
}

/** Programs that may own the overlay: when one is found nothing important is hidden. */
const OWNERS: readonly string[] = ['flanneld', 'k3s'];

interface Candidate {
  readonly pid: number;
  readonly name: string;
  readonly argv: readonly string[];
}

/** Threads of the kernel and zombies have no arguments: a third of all reads is saved. */
async function readCandidate(host: Host, pid: number): Promise<Candidate | undefined> {
  return unlessEnded(async () => {
    const argv = await readArguments(host, pid);
    if (argv.length === 0) return undefined;
    const name = programName(argv) ?? programNamed(await host.readFile(`/proc/${pid}/comm`), argv);
    return name === undefined ? undefined : { pid, name, argv };
  });
}

async function keepIfHere(host: Host, candidate: Candidate): Promise<Candidate | undefined> {
  return unlessEnded(async () => {
    const [theirs, ours] = await Promise.all([readNamespace(host, candidate), host.readLink('/proc/self/ns/net')]);
    return theirs === ours ? candidate : undefined;
  });
}

async function readNamespace(host: Host, { pid, name }: Candidate): Promise<string> {
  try {
    return await host.readLink(`/proc/${pid}/ns/net`);
  } catch (error) {
    if (!(error instanceof UnavailableError) || error.reason !== 'permission') throw error;
    const question = `whether ${name} (pid ${pid}) runs in this network namespace cannot be read`;
    throw new UnavailableError('permission', question, { cause: error, hint: 'Run it as root.' });
  }
}

async function readProcess(host: Host, candidate: Candidate, bootedAt: number): Promise<ProcessInfo | undefined> {
  return unlessEnded(async () => {
    const { pid, name, argv } = candidate;
    const [stat, cgroup] = await Promise.all([
      host.readFile(`/proc/${pid}/stat`),
      host.readFile(`/proc/${pid}/cgroup`),
    ]);
    const { state, startTicks } = parseStat(stat, pid);
    if (state === 'Z' || state === 'X') return undefined;
    return {
      pid,
      name,
      argv: maskArguments(argv).map((word) => escapeText(word, MAX_ARGUMENT)),
      state,
      startedAt: bootedAt + startTicks * MS_PER_TICK,
      cgroup: parseCgroup(cgroup),
    };
  });
}

const MAX_ARGUMENT = 4096;
/** USER_HZ is 100 on every architecture flannel is built for (proc_pid_stat(5), field 22). */
const MS_PER_TICK = 10;

/** The name in parentheses may hold anything, parentheses too: the fields begin after the last one. */
function parseStat(stat: string, pid: number): { readonly state: string; readonly startTicks: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  const startTicks = Number(fields[19]);
  if (!/^[A-Za-z]$/.test(state) || !Number.isSafeInteger(startTicks)) {
    throw new UnavailableError('malformed', `/proc/${pid}/stat: ${escapeText(stat)}`);
  }
  return { state, startTicks };
}

/** `0::/system.slice/flanneld.service`; cgroup v1 has a line a controller. The innermost unit counts: a user manager is a unit too. */
function parseCgroup(text: string): string {
  if (/kubepods|\/kubelet\/pods?/.test(text)) return 'kubepods';
  const units = text
    .split('\n')
    .flatMap((line) => line.split('/').filter((part) => /^[\w:.\\@-]+\.service$/.test(part)));
  return units.at(-1) ?? '';
}

async function readBootTime(host: Host): Promise<number> {
  const seconds = /^btime (\d+)$/m.exec(await host.readFile('/proc/stat'))?.[1];
  if (seconds === undefined)
    throw new UnavailableError('malformed', '/proc/stat does not say when the host was started');
  return Number(seconds) * 1000;
}

async function unlessEnded<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function splitNul(text: string): readonly string[] {
  const words = text.split('\0');
  // Every argument is ended by NUL; a title written over them (k3s) is padded with more.
  while (words.length > 0 && words.at(-1) === '') words.pop();
  return words;
}
