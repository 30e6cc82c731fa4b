import type { FlannelOptions } from '../net/flannel-options.ts';

/** What a command line or an environment of flanneld sets; the password apart, because it never becomes part of a fact. */
export interface FlanneldSettings {
  readonly options: Partial<FlannelOptions>;
  readonly etcdPassword: string | undefined;
}

export const NO_SETTINGS: FlanneldSettings = { options: {}, etcdPassword: undefined };

type Setter = (set: Writable, value: string) => void;
interface Writable {
  options: { -readonly [K in keyof FlannelOptions]?: FlannelOptions[K] };
  etcdPassword: string | undefined;
}
interface Flag {
  readonly isBoolean: boolean;
  readonly set: Setter;
}

/** flanneld's flags after the program's name, in the syntax of Go's flag package; what does not parse is left out. */
export function parseFlags(args: readonly string[]): FlanneldSettings {
  const settings: Writable = { options: {}, etcdPassword: undefined };
  for (let index = 0; index < args.length; index += 1) {
    const [, name = '', , value] = /^--?([^-=][^=]*)(=([\s\S]*))?$/.exec(args[index] ?? '') ?? [];
    // Go stops at the first word that is no flag, and at `--`.
    if (name === '') break;
    const flag = flagOf(name);
    if (value !== undefined || flag?.isBoolean) flag?.set(settings, value ?? 'true');
    else if (flag !== undefined || !(args[index + 1] ?? '-').startsWith('-')) {
      index += 1;
      flag?.set(settings, args[index] ?? '');
    }
  }
  return settings;
}

/**
 * `FLANNELD_*` variables. An empty one counts as not set, an invalid one is ignored, and a list is one item whatever it holds
 * (coreos/pkg flagutil.SetFlagsFromEnv); only the endpoints are split, by flanneld itself.
 */
export function parseEnvironment(variables: ReadonlyMap<string, string>): FlanneldSettings {
  const settings: Writable = { options: {}, etcdPassword: undefined };
  for (const [name, flag] of FLAGS) {
    const value = variables.get(`FLANNELD_${name.toUpperCase().replaceAll('-', '_')}`);
    if (value !== undefined && value !== '') flag.set(settings, value);
  }
  return settings;
}

/** The first wins, as the command line wins over the environment. */
export function mergeSettings(first: FlanneldSettings, second: FlanneldSettings): FlanneldSettings {
  return {
    options: { ...second.options, ...first.options },
    etcdPassword: first.etcdPassword ?? second.etcdPassword,
  };
}

/** Go's strconv.ParseBool. */
export function parseGoBoolean(value: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
  return /^(0|f|F|false|FALSE|False)$/.test(value) ? false : undefined;
}

type KeyOf<T> = { [K in keyof FlannelOptions]: FlannelOptions[K] extends T ? K : never }[keyof FlannelOptions];

function text(key: KeyOf<string>): Flag {
  return { isBoolean: false, set: (settings, value) => Object.assign(settings.options, { [key]: value }) };
}

function integer(key: KeyOf<number>): Flag {
  const set: Setter = (settings, value) => {
    if (/^-?\d{1,9}$/.test(value)) Object.assign(settings.options, { [key]: Number(value) });
  };
  return { isBoolean: false, set };
}

function boolean(key: KeyOf<boolean>): Flag {
  const set: Setter = (settings, value) => {
    const parsed = parseGoBoolean(value);
    if (parsed !== undefined) Object.assign(settings.options, { [key]: parsed });
  };
  return { isBoolean: true, set };
}

function repeatable(key: 'iface' | 'ifaceRegex'): Flag {
  const set: Setter = ({ options }, value) => {
    options[key] = [...(options[key] ?? []), value];
  };
  return { isBoolean: false, set };
}

function ignored(isBoolean: boolean): Flag {
  return { isBoolean, set: () => undefined };
}

const endpoints: Flag = {
  isBoolean: false,
  set: ({ options }, value) => {
    options.etcdEndpoints = value.split(',');
  },
};

const password: Flag = {
  isBoolean: false,
  set: (settings, value) => {
    settings.etcdPassword = value;
  },
};

/** All of flanneld's flags (flannel main.go:init); of those that say nothing here only whether they take a value. */
const FLAGS: ReadonlyMap<string, Flag> = new Map([
  ['etcd-endpoints', endpoints],
  ['etcd-prefix', text('etcdPrefix')],
  ['etcd-keyfile', text('etcdKeyfile')],
  ['etcd-certfile', text('etcdCertfile')],
  ['etcd-cafile', text('etcdCafile')],
  ['etcd-username', text('etcdUsername')],
  ['etcd-password', password],
  ['kube-subnet-mgr', boolean('kubeSubnetMgr')],
  ['kube-api-url', text('kubeApiUrl')],
  ['kubeconfig-file', text('kubeconfigFile')],
  ['kube-annotation-prefix', text('kubeAnnotationPrefix')],
  ['net-config-path', text('netConfigPath')],
  ['iface', repeatable('iface')],
  ['iface-regex', repeatable('ifaceRegex')],
  ['iface-can-reach', text('ifaceCanReach')],
  ['public-ip', text('publicIp')],
  ['public-ipv6', text('publicIpv6')],
  ['subnet-file', text('subnetFile')],
  ['subnet-lease-renew-margin', integer('subnetLeaseRenewMarginMinutes')],
  ['ip-masq', boolean('ipMasq')],
  ['iptables-forward-rules', boolean('iptablesForwardRules')],
  ['iptables-resync', integer('iptablesResyncSeconds')],
  ['healthz-ip', text('healthzIp')],
  ['healthz-port', integer('healthzPort')],
  ['ip-masq-fully-random-disable', boolean('ipMasqFullyRandomDisable')],
  ['ip-blackhole-route', boolean('ipBlackholeRoute')],
  ['set-node-network-unavailable', ignored(true)],
  ['version', ignored(true)],
  ['help', ignored(true)],
  ['logtostderr', ignored(true)],
  ['alsologtostderr', ignored(true)],
]);

function flagOf(name: string): Flag | undefined {
  return FLAGS.get(name);
}
