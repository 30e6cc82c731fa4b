import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { findUnit } from './discover-units.ts';
import type { Discovery, KubeAccess } from './discovery.ts';
import { type FlanneldSettings, mergeSettings, parseEnvironment, parseFlags } from './flanneld-flags.ts';
import { type ProcessInfo, readArguments } from './processes.ts';
import { isAgent, programIndex } from './program-name.ts';
import { ifThere } from './read-if-there.ts';

/** How the running flanneld was started; of several the one that runs longest. */
export async function discoverFlanneld(host: Host, processes: readonly ProcessInfo[]): Promise<Discovery | undefined> {
  const running = oldest(processes.filter(({ name }) => name === 'flanneld'));
  if (running === undefined) return undefined;
  const [unit, pathPrefix] = await Promise.all([flannelUnit(host, running), readPathPrefix(host, running.pid)]);
  const isRke2 = processes.some(({ name }) => name === 'rke2');
  const inPod = isRke2 ? 'rke2' : 'daemonset';
  return {
    ...(await readStart(host, running, pathPrefix)),
    deployment: running.cgroup === 'kubepods' ? inPod : unit === undefined ? 'process' : 'systemd',
    unit: unit ?? null,
    pathPrefix,
  };
}

/** Our own agent, `flannelctl up` that stays. */
export async function discoverAgent(host: Host, processes: readonly ProcessInfo[]): Promise<Discovery | undefined> {
  const running = oldest(processes.filter(({ name, argv }) => name === 'flannelctl' && isAgent(argv)));
  if (running === undefined) return undefined;
  const unit = running.cgroup === '' ? null : running.cgroup;
  return { ...(await readStart(host, running, '')), deployment: 'flannelctl', unit, pathPrefix: '' };
}

function oldest(processes: readonly ProcessInfo[]): ProcessInfo | undefined {
  return processes.toSorted((a, b) => a.startedAt - b.startedAt || a.pid - b.pid)[0];
}

type Start = Omit<Discovery, 'deployment' | 'unit' | 'pathPrefix'>;

async function readStart(host: Host, process: ProcessInfo, pathPrefix: string): Promise<Start> {
  const [argv, environment] = await Promise.all([readArguments(host, process.pid), readVariables(host, process.pid)]);
  const fromFlags = parseFlags(flagsOf(process.name, argv));
  const fromEnvironment = parseEnvironment(environment);
  const what = isEmpty(fromEnvironment) ? 'command line' : 'command line and environment';
  return {
    process,
    settings: mergeSettings(fromFlags, fromEnvironment),
    source: `${what} of ${process.name} (pid ${process.pid})`,
    knowsDatastore: true,
    kube: inCluster(environment, pathPrefix),
    version: /flanneld?[-_/@](v\d+\.\d+\.\d+)/.exec(process.argv.join(' '))?.[1] ?? null,
  };
}

function flagsOf(name: string, argv: readonly string[]): readonly string[] {
  const command = name === 'flannelctl' ? argv.indexOf('up') : programIndex(argv);
  return argv.slice(command + 1);
}

async function readVariables(host: Host, pid: number): Promise<ReadonlyMap<string, string>> {
  const entries = (await host.readFile(`/proc/${pid}/environ`)).split('\0').map((entry) => {
    const cut = entry.indexOf('=');
    return [entry.slice(0, Math.max(cut, 0)), entry.slice(cut + 1)] as const;
  });
  return new Map(entries);
}

/** What client-go takes when flanneld is told neither a URL nor a kubeconfig (rest.InClusterConfig). */
function inCluster(environment: ReadonlyMap<string, string>, pathPrefix: string): KubeAccess {
  const address = environment.get('KUBERNETES_SERVICE_HOST');
  const port = environment.get('KUBERNETES_SERVICE_PORT') ?? '443';
  if (address === undefined || !/^[\w.:-]+$/.test(address) || !/^\d{1,5}$/.test(port)) return {};
  return {
    apiUrl: `https://${address.includes(':') ? `[${address}]` : address}:${port}`,
    serviceAccountDir: `${pathPrefix}/var/run/secrets/kubernetes.io/serviceaccount`,
  };
}

/** The unit it belongs to, when that unit is flannel's: a shell started from sshd.service belongs to a unit too. */
async function flannelUnit(host: Host, { cgroup }: ProcessInfo): Promise<string | undefined> {
  if (!cgroup.endsWith('.service')) return undefined;
  if (/flannel/i.test(cgroup)) return cgroup;
  return (await findUnit(host, cgroup))?.program === 'flanneld' ? cgroup : undefined;
}

/** A process in another mount namespace than the host's first one names files that only it sees. */
async function readPathPrefix(host: Host, pid: number): Promise<string> {
  const [theirs, hosts, ours] = await Promise.all([
    ifThere(host.readLink(`/proc/${pid}/ns/mnt`)),
    ifAllowed(ifThere(host.readLink('/proc/1/ns/mnt'))),
    ifThere(host.readLink('/proc/self/ns/mnt')),
  ]);
  return theirs === undefined || theirs === hosts || theirs === ours ? '' : `/proc/${pid}/root`;
}

/** Some kernels hide process 1 from root too; without it a path through /proc/PID/root is as right, only longer. */
async function ifAllowed<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof UnavailableError && error.reason === 'permission') return undefined;
    throw error;
  }
}

function isEmpty({ options, etcdPassword }: FlanneldSettings): boolean {
  return Object.keys(options).length === 0 && etcdPassword === undefined;
}
