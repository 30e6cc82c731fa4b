import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import { type FlannelUnit, findUnit } from './discover-units.ts';
import type { Discovery } from './discovery.ts';
import { type ProcessInfo, readArguments } from './processes.ts';
import { ifThere, readDirIfThere, readFileIfThere } from './read-if-there.ts';

const CONFIG_FILE = '/etc/rancher/k3s/config.yaml';
const DATA_DIRECTORY = '/var/lib/rancher/k3s';

/** flannel inside k3s: no process of its own, other paths; `undefined` when k3s does not run here or runs without flannel. */
export async function discoverK3s(host: Host, processes: readonly ProcessInfo[]): Promise<Discovery | undefined> {
  const running = processes.find(({ name, argv }) => name === 'k3s' && roleOf(argv.join(' ')) !== undefined);
  if (running === undefined) return undefined;
  const unit = running.cgroup === '' ? undefined : await findUnit(host, running.cgroup);
  const argv = await readArguments(host, running.pid);
  const args = [...argv.slice(1), ...(unit?.program === 'k3s' ? unit.args : [])];
  const role = roleOf(argv.join(' ')) ?? 'server';
  const source = `${unit?.name ?? 'k3s'} and ${CONFIG_FILE} (pid ${running.pid})`;
  return describe(host, { args, role, running, unit: unit?.name ?? null, source });
}

/** k3s that is installed as a service and does not run. */
export async function discoverK3sUnit(host: Host, units: readonly FlannelUnit[]): Promise<Discovery | undefined> {
  const unit = units.find(({ program, args }) => program === 'k3s' && roleOf(args.join(' ')));
  if (unit === undefined) return undefined;
  const role = roleOf(unit.args.join(' ')) ?? 'server';
  return describe(host, { args: unit.args, role, running: null, unit: unit.name, source: unit.name });
}

type Role = 'server' | 'agent';

/** Of k3s and rke2; `undefined`: another of their commands. */
export function roleOf(commandLine: string): Role | undefined {
  if (/(^|\s)server(\s|$)|(k3s|rke2)-server/.test(commandLine)) return 'server';
  return /(^|\s)agent(\s|$)|(k3s|rke2)-agent/.test(commandLine) ? 'agent' : undefined;
}

interface K3s {
  readonly args: readonly string[];
  readonly role: Role;
  readonly running: ProcessInfo | null;
  readonly unit: string | null;
  readonly source: string;
}

async function describe(host: Host, k3s: K3s): Promise<Discovery | undefined> {
  const config = await readConfig(host, flagValues(k3s.args, 'config', 'c').at(-1) ?? CONFIG_FILE);
  const setting = (name: string, short?: string) => {
    const flags = flagValues(k3s.args, name, short);
    return flags.length > 0 ? flags : (config.get(name) ?? []);
  };
  const data = setting('data-dir', 'd').at(-1) ?? DATA_DIRECTORY;
  const netConfigPath = `${data}/agent/etc/flannel/net-conf.json`;
  if (!(await runsFlannel(host, k3s.role, { setting, netConfigPath }))) return undefined;
  return {
    deployment: 'k3s',
    process: k3s.running,
    unit: k3s.unit,
    settings: { options: optionsOf(setting, netConfigPath), etcdPassword: undefined },
    source: k3s.source,
    knowsDatastore: true,
    pathPrefix: '',
    kube: { kubeconfigFile: await kubeconfigOf(host, data) },
    version: null,
  };
}

type Setting = (name: string) => readonly string[];

/** An agent learns the backend from its server; the file is written only where flannel is going to run. */
async function runsFlannel(
  host: Host,
  role: Role,
  { setting, netConfigPath }: { setting: Setting; netConfigPath: string },
): Promise<boolean> {
  if (setting('flannel-backend').at(-1) === 'none' || isOn(setting('disable-agent'))) return false;
  return role === 'server' || (await ifThere(host.stat(netConfigPath))) !== undefined;
}

/** What k3s passes to the flannel it embeds (k3s pkg/agent/flannel). */
function optionsOf(setting: Setting, netConfigPath: string): Partial<FlannelOptions> {
  const iface = setting('flannel-iface').at(-1);
  const external = isOn(setting('flannel-external-ip')) ? setting('node-external-ip').join(',').split(',') : [];
  const publicIp = external.find((address) => address.includes('.'));
  const publicIpv6 = external.find((address) => address.includes(':'));
  return {
    kubeSubnetMgr: true,
    ipMasq: true,
    netConfigPath: setting('flannel-conf').at(-1) ?? netConfigPath,
    ...(iface === undefined ? {} : { iface: [iface] }),
    ...(publicIp === undefined ? {} : { publicIp }),
    ...(publicIpv6 === undefined ? {} : { publicIpv6 }),
  };
}

/** The controller's identity may list nodes; the kubelet's may not where the API restricts it to its own (Kubernetes 1.32). */
async function kubeconfigOf(host: Host, data: string): Promise<string> {
  const controller = `${data}/agent/k3scontroller.kubeconfig`;
  return (await ifThere(host.stat(controller))) === undefined ? `${data}/agent/kubelet.kubeconfig` : controller;
}

/** Values of `--name value`, `--name=value`, and of a switch without one `true`. */
export function flagValues(args: readonly string[], name: string, short?: string): readonly string[] {
  const spellings = [`--${name}`, `-${name}`, ...(short === undefined ? [] : [`-${short}`])];
  return args.flatMap((word, index) => {
    const [flag = '', ...value] = word.split('=');
    if (!spellings.includes(flag)) return [];
    if (value.length > 0) return [value.join('=')];
    const next = args[index + 1];
    return [next === undefined || next.startsWith('-') ? 'true' : next];
  });
}

function isOn(values: readonly string[]): boolean {
  return values.at(-1) === 'true';
}

/** config.yaml, then config.yaml.d in order. */
export async function configPaths(host: Host, path: string): Promise<readonly string[]> {
  const more = (await readDirIfThere(host, `${path}.d`)).filter((name) => /\.ya?ml$/.test(name));
  return [path, ...more.map((name) => `${path}.d/${name}`)];
}

/** The keys are the names of the flags. */
export async function readConfig(host: Host, path: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const paths = await configPaths(host, path);
  const texts = await Promise.all(paths.map(async (file) => [file, await readFileIfThere(host, file)] as const));
  const settings = await Promise.all(texts.map(([file, text]) => (text === undefined ? [] : parseConfig(file, text))));
  return new Map(settings.flat());
}

async function parseConfig(path: string, text: string): Promise<readonly (readonly [string, readonly string[]])[]> {
  const { load } = await import('js-yaml');
  const document = loadYaml(load, path, text);
  if (typeof document !== 'object' || document === null) return [];
  return Object.entries(document).map(([key, value]) => [key.replace(/\+$/, ''), [value].flat().map(String)]);
}

function loadYaml(load: (text: string) => unknown, path: string, text: string): unknown {
  try {
    return load(text);
  } catch (error) {
    throw new UnavailableError('malformed', `${path} is no YAML`, { cause: error });
  }
}
