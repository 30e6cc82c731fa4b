import { FLANNEL_DEFAULTS, type FlannelOptions } from '../net/flannel-options.ts';
import { selectStore } from '../store/selection.ts';
import type { StoreSelection } from '../store/store.ts';
import { discoverAgent, discoverFlanneld } from './discover-flanneld.ts';
import { discoverK3s, discoverK3sUnit } from './discover-k3s.ts';
import { discoverPod } from './discover-pods.ts';
import { discoverUnit, listUnits } from './discover-units.ts';
import type { Discovery } from './discovery.ts';
import { type CollectContext, defineFact, type GivenOptions } from './fact.ts';
import { findTraces } from './flannel-traces.ts';
import { NO_SETTINGS } from './flanneld-flags.ts';
import { type ProcessInfo, processesFact } from './processes.ts';

export type Deployment = 'daemonset' | 'systemd' | 'k3s' | 'rke2' | 'process' | 'flannelctl' | 'none';

/** How flannel is started here; never absent: nobody starts it is `deployment: 'none'`. */
export interface FlannelStart {
  readonly deployment: Deployment;
  /** The running owner of the overlay in this network namespace; `null`: none runs. */
  readonly process: {
    readonly pid: number;
    readonly name: string;
    readonly startedAt: number;
    readonly state: string;
  } | null;
  readonly version: string | null;
  readonly subnetManager: 'etcd' | 'kube' | 'unknown';
  /** `null`: not known which; flannel's default endpoints are not tried as if configured. */
  readonly datastore: StoreSelection | null;
  /** Why `datastore` is what it is, for a person: `command line of flanneld (pid 812)`. */
  readonly optionsSource: string;
  readonly options: FlannelOptions;
  /** systemd unit that starts it, when there is one: `flanneld.service`. */
  readonly unit: string | null;
}

/** With leftovers, which are there without a start, too. */
export interface FlannelInstall extends FlannelStart {
  /** What shows that flannel was here: `flannel.1`, `/run/flannel/subnet.env`, `/etc/cni/net.d/10-flannel.conflist`, `chain FLANNEL-FWD`. */
  readonly traces: readonly string[];
}

/** How flannel is started here and with which options: flags given to flannelctl win, field by field, over what is found. */
export const flannelStartFact = defineFact<FlannelStart>({
  name: 'flannel-start',
  absence: 'never',
  cost: 'passive',
  timeoutMs: 8000,
  collect: collectStart,
});

/** The same and what flannel left behind; `unknown` when neither is found and somewhere could not be looked at. */
export const flannelFact = defineFact<FlannelInstall>({
  name: 'flannel',
  absence: 'never',
  cost: 'passive',
  timeoutMs: 8000,
  collect: async (context) => {
    const start = await context.get(flannelStartFact);
    const { found, obstacle } = await findTraces(context, start.options.subnetFile);
    if (start.deployment === 'none' && found.length === 0 && obstacle !== undefined) throw obstacle;
    return { ...start, traces: found };
  },
});

async function collectStart(context: CollectContext): Promise<FlannelStart> {
  const discovery = (await discover(context)) ?? NOTHING;
  const options = effectiveOptions(discovery, context.given);
  handOverPassword(context, discovery);
  const datastore = selectDatastore(discovery, context.given);
  return {
    deployment: discovery.deployment,
    process: processOf(discovery.process),
    version: discovery.version,
    subnetManager: managerOf(datastore),
    datastore,
    optionsSource: sourceOf(discovery, context.given),
    options,
    unit: discovery.unit,
  };
}

/** What runs first, then what would run, then what ran. */
async function discover({ host, get }: CollectContext): Promise<Discovery | undefined> {
  const processes = await get(processesFact);
  const running =
    (await discoverFlanneld(host, processes)) ??
    (await discoverAgent(host, processes)) ??
    (await discoverK3s(host, processes));
  if (running !== undefined) return running;
  const units = await listUnits(host);
  return discoverUnit(units) ?? (await discoverK3sUnit(host, units)) ?? (await discoverPod(host, processes));
}

const NOTHING: Discovery = {
  deployment: 'none',
  process: null,
  unit: null,
  settings: NO_SETTINGS,
  source: 'nothing says which datastore',
  knowsDatastore: false,
  pathPrefix: '',
  kube: {},
  version: null,
};

function effectiveOptions({ settings }: Discovery, given: GivenOptions): FlannelOptions {
  const options = { ...FLANNEL_DEFAULTS, ...settings.options, ...given.flannel };
  return { ...options, kubeSubnetMgr: isKubeWanted(settings.options, given) };
}

/** `--etcd-endpoints` means etcd also where flanneld uses Kubernetes; a kubeconfig alone means Kubernetes only where nobody says else. */
function isKubeWanted(found: Partial<FlannelOptions>, { flannel, namesDatastore }: GivenOptions): boolean {
  if (flannel.kubeSubnetMgr !== undefined) return flannel.kubeSubnetMgr;
  if (flannel.etcdEndpoints !== undefined) return false;
  if (found.kubeSubnetMgr !== undefined || found.etcdEndpoints !== undefined) return found.kubeSubnetMgr ?? false;
  return namesDatastore && (flannel.etcdPrefix === undefined || flannel.kubeconfigFile !== undefined);
}

function selectDatastore(discovery: Discovery, given: GivenOptions): StoreSelection | null {
  if (!discovery.knowsDatastore && !given.namesDatastore) return null;
  const options = effectiveOptions(discovery, given);
  const selection = selectStore({
    ...options,
    ...pathsFromHost(options, discovery.pathPrefix),
    ...given.flannel,
    kubeSubnetMgr: options.kubeSubnetMgr,
  });
  const isOpen = selection.kind === 'kube' && selection.apiUrl === '' && selection.kubeconfigFile === '';
  return isOpen ? { ...selection, ...discovery.kube } : selection;
}

/** flanneld in a container names files of the container. */
function pathsFromHost(options: FlannelOptions, prefix: string): Partial<FlannelOptions> {
  const seen = (path: string) => (path === '' ? '' : `${prefix}${path}`);
  return {
    etcdKeyfile: seen(options.etcdKeyfile),
    etcdCertfile: seen(options.etcdCertfile),
    etcdCafile: seen(options.etcdCafile),
    kubeconfigFile: seen(options.kubeconfigFile),
    netConfigPath: seen(options.netConfigPath),
  };
}

function handOverPassword({ secrets }: CollectContext, { settings }: Discovery): void {
  const { etcdPassword } = settings;
  if (etcdPassword !== undefined && secrets.secrets().etcdPassword === undefined) secrets.put({ etcdPassword });
}

function processOf(process: ProcessInfo | null): FlannelInstall['process'] {
  if (process === null) return null;
  const { pid, name, startedAt, state } = process;
  return { pid, name, startedAt, state };
}

/** The file store stands in for etcd. */
function managerOf(datastore: StoreSelection | null): FlannelInstall['subnetManager'] {
  if (datastore === null) return 'unknown';
  return datastore.kind === 'kube' ? 'kube' : 'etcd';
}

function sourceOf(discovery: Discovery, { flannel, namesDatastore }: GivenOptions): string {
  if (Object.keys(flannel).length === 0 && !namesDatastore) return discovery.source;
  return discovery === NOTHING ? 'flags of flannelctl' : `flags of flannelctl, then ${discovery.source}`;
}
