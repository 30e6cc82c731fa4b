import { AbsentError, UnavailableError } from '../../src/errors.ts';
import type { CollectContext } from '../../src/facts/fact.ts';
import { FactStore } from '../../src/facts/fact-store.ts';
import { flannelStartFact } from '../../src/facts/flannel.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import type { EtcdHealth } from '../../src/store/health.ts';
import type { StoreSelection, SubnetStore } from '../../src/store/store.ts';
import { anInstall, etcdSelection } from './etcd-selection.ts';
import { recordedHost } from './recorded.ts';

export interface ConfigScene {
  /** What the datastore holds; `null`: nothing. */
  readonly text: string | null;
  readonly kind?: SubnetStore['kind'];
  /** Of etcd. */
  readonly prefix?: string;
  readonly health?: Partial<EtcdHealth>;
  /** What opening the datastore ends with. */
  readonly failure?: Error;
}

/** Facts are collected for real over a datastore that holds one configuration. */
export function configContext({ text, kind = 'etcd', prefix, health = {}, failure }: ConfigScene): CollectContext {
  const never = () => Promise.reject(new UnavailableError('unsupported', 'not in this test'));
  const store: Pick<SubnetStore, 'kind' | 'description' | 'readNetworkConfig' | 'close'> = {
    kind,
    description: 'a test',
    readNetworkConfig: async () => {
      if (text === null) throw new AbsentError('etcd has no network configuration');
      return { text, modRevision: '1', source: 'etcdctl get /coreos.com/network/config' };
    },
    close: async () => undefined,
  };
  const parts = {
    ...{ host: recordedHost(), clock: systemClock, startedAt: 0, signal: new AbortController().signal },
    given: { flannel: {}, namesDatastore: false, peerLimit: null, storeTimeoutMs: 1000 },
    secrets: { put: () => undefined, secrets: () => ({}) },
    openStore: async () => (failure === undefined ? partly<SubnetStore>(store) : Promise.reject(failure)),
    openKube: never,
    openEtcdHealth: async () => partly<EtcdHealth>({ close: async () => undefined, ...health }),
  };
  const facts = new FactStore({ ...parts, mayProbe: true, passiveTimeoutMs: 5000 });
  const install = anInstall({
    datastore: prefix === undefined ? selectionOf(kind) : etcdSelection({ prefix }),
    subnetManager: kind === 'kube' ? 'kube' : 'etcd',
  });
  const context: CollectContext = {
    ...parts,
    get: async (fact) =>
      fact.name === flannelStartFact.name ? JSON.parse(JSON.stringify(install)) : fact.collect(context),
    observe: (fact) => facts.observe({ ...fact, collect: () => fact.collect(context) }),
  };
  return context;
}

/** A port of which a test names the methods it needs; any other is not there. */
function partly<T extends object>(parts: Partial<T>): T {
  const missing = (name: string | symbol) => () => Promise.reject(new Error(`${String(name)} is not in this test`));
  const proxy: T = new Proxy(Object.create(null), {
    get: (_, name) => (name === 'then' ? undefined : (Reflect.get(parts, name) ?? missing(name))),
  });
  return proxy;
}

function selectionOf(kind: SubnetStore['kind']): StoreSelection {
  if (kind === 'etcd') return etcdSelection();
  if (kind === 'file') return { kind, path: '/x' };
  const names = { apiUrl: '', kubeconfigFile: '', context: '', annotationPrefix: 'flannel.alpha.coreos.com' };
  return { kind, ...names, netConfigPath: '/etc/kube-flannel/net-conf.json' };
}
