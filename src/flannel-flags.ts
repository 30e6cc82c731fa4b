import { Flags } from '@oclif/core';
import type { FlannelOptions } from './net/flannel-options.ts';
import type { StoreSecrets } from './store/store.ts';

const group = { helpGroup: 'FLANNEL' };

/** flanneld's own flags, names and `FLANNELD_*` variables, so that an existing command line works as it is. */
export const flannelFlags = {
  'etcd-endpoints': Flags.string({ ...group, env: 'FLANNELD_ETCD_ENDPOINTS', summary: 'comma list of etcd URLs' }),
  'etcd-prefix': Flags.string({ ...group, env: 'FLANNELD_ETCD_PREFIX', summary: 'key prefix in etcd' }),
  'etcd-keyfile': Flags.string({ ...group, env: 'FLANNELD_ETCD_KEYFILE', summary: 'client key' }),
  'etcd-certfile': Flags.string({ ...group, env: 'FLANNELD_ETCD_CERTFILE', summary: 'client certificate' }),
  'etcd-cafile': Flags.string({ ...group, env: 'FLANNELD_ETCD_CAFILE', summary: 'certificate authority of etcd' }),
  'etcd-username': Flags.string({ ...group, env: 'FLANNELD_ETCD_USERNAME', summary: 'etcd user' }),
  'etcd-password': Flags.string({
    ...group,
    env: 'FLANNELD_ETCD_PASSWORD',
    summary: 'etcd password; prefer --etcd-password-file',
  }),
  'etcd-password-file': Flags.string({ ...group, summary: 'file that holds the etcd password' }),
  'kube-subnet-mgr': Flags.boolean({
    ...group,
    env: 'FLANNELD_KUBE_SUBNET_MGR',
    allowNo: true,
    summary: 'leases are in the Kubernetes API',
  }),
  'kube-api-url': Flags.string({ ...group, env: 'FLANNELD_KUBE_API_URL', summary: 'URL of the Kubernetes API' }),
  'kubeconfig-file': Flags.string({
    ...group,
    env: 'FLANNELD_KUBECONFIG_FILE',
    summary: 'kubeconfig',
    aliases: ['kubeconfig'],
  }),
  context: Flags.string({ ...group, summary: 'context of the kubeconfig' }),
  'kube-annotation-prefix': Flags.string({
    ...group,
    env: 'FLANNELD_KUBE_ANNOTATION_PREFIX',
    summary: 'prefix of node annotations',
  }),
  'net-config-path': Flags.string({
    ...group,
    env: 'FLANNELD_NET_CONFIG_PATH',
    summary: 'net-conf.json in Kubernetes mode',
  }),
  iface: Flags.string({
    ...group,
    env: 'FLANNELD_IFACE',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'interface or address of the underlay',
  }),
  'iface-regex': Flags.string({
    ...group,
    env: 'FLANNELD_IFACE_REGEX',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'as --iface, by regular expression',
  }),
  'iface-can-reach': Flags.string({
    ...group,
    env: 'FLANNELD_IFACE_CAN_REACH',
    summary: 'interface that reaches this address',
  }),
  'public-ip': Flags.string({ ...group, env: 'FLANNELD_PUBLIC_IP', summary: 'advertised IPv4 address' }),
  'public-ipv6': Flags.string({ ...group, env: 'FLANNELD_PUBLIC_IPV6', summary: 'advertised IPv6 address' }),
  'subnet-file': Flags.string({ ...group, env: 'FLANNELD_SUBNET_FILE', summary: 'where subnet.env is' }),
  'subnet-lease-renew-margin': Flags.integer({
    ...group,
    env: 'FLANNELD_SUBNET_LEASE_RENEW_MARGIN',
    min: 1,
    max: 1439,
    summary: 'minutes before the end at which a lease is renewed',
  }),
  'ip-masq': Flags.boolean({
    ...group,
    env: 'FLANNELD_IP_MASQ',
    allowNo: true,
    summary: 'masquerade rules are wanted',
  }),
  'ip-masq-fully-random-disable': Flags.boolean({
    ...group,
    env: 'FLANNELD_IP_MASQ_FULLY_RANDOM_DISABLE',
    allowNo: true,
    summary: 'masquerade without choosing ports at random',
  }),
  'ip-blackhole-route': Flags.boolean({
    ...group,
    env: 'FLANNELD_IP_BLACKHOLE_ROUTE',
    allowNo: true,
    summary: 'blackhole route for the subnet of this node, where no bridge holds it',
  }),
  'iptables-forward-rules': Flags.boolean({
    ...group,
    env: 'FLANNELD_IPTABLES_FORWARD_RULES',
    allowNo: true,
    summary: 'forward rules are wanted',
  }),
  'iptables-resync': Flags.integer({
    ...group,
    env: 'FLANNELD_IPTABLES_RESYNC',
    summary: 'seconds between looks at the rules',
  }),
  'healthz-ip': Flags.string({ ...group, env: 'FLANNELD_HEALTHZ_IP', summary: 'address of the health server' }),
  'healthz-port': Flags.integer({
    ...group,
    env: 'FLANNELD_HEALTHZ_PORT',
    min: 0,
    max: 65_535,
    summary: 'port of the health server; 0: none',
  }),
};

interface ParsedFlannelFlags {
  readonly [name: string]: unknown;
}

/** Those flags that were given, under the names of {@link FlannelOptions}. */
export function givenFlannelOptions(flags: ParsedFlannelFlags): Partial<FlannelOptions> {
  const given: Record<string, unknown> = {};
  for (const [flag, option] of Object.entries(OPTION_OF_FLAG)) {
    const value = flags[flag];
    if (value !== undefined && value !== '')
      given[option] = isList(option, value) ? [value] : option === 'etcdEndpoints' ? String(value).split(',') : value;
  }
  return given as Partial<FlannelOptions>;
}

/** oclif gives the one item of a variable as it is; flanneld takes it whole, whatever commas it holds. */
function isList(option: string, value: unknown): boolean {
  return (option === 'iface' || option === 'ifaceRegex') && typeof value === 'string';
}

/** Those of the flags that take a whole number. */
export const INTEGER_FLAGS: ReadonlySet<string> = new Set([
  'subnet-lease-renew-margin',
  'iptables-resync',
  'healthz-port',
]);

const OPTION_OF_FLAG: Readonly<Record<string, keyof FlannelOptions>> = {
  'etcd-endpoints': 'etcdEndpoints',
  'etcd-prefix': 'etcdPrefix',
  'etcd-keyfile': 'etcdKeyfile',
  'etcd-certfile': 'etcdCertfile',
  'etcd-cafile': 'etcdCafile',
  'etcd-username': 'etcdUsername',
  'kube-subnet-mgr': 'kubeSubnetMgr',
  'kube-api-url': 'kubeApiUrl',
  'kubeconfig-file': 'kubeconfigFile',
  context: 'kubeContext',
  'kube-annotation-prefix': 'kubeAnnotationPrefix',
  'net-config-path': 'netConfigPath',
  iface: 'iface',
  'iface-regex': 'ifaceRegex',
  'iface-can-reach': 'ifaceCanReach',
  'public-ip': 'publicIp',
  'public-ipv6': 'publicIpv6',
  'subnet-file': 'subnetFile',
  'subnet-lease-renew-margin': 'subnetLeaseRenewMarginMinutes',
  'ip-masq': 'ipMasq',
  'ip-masq-fully-random-disable': 'ipMasqFullyRandomDisable',
  'ip-blackhole-route': 'ipBlackholeRoute',
  'iptables-forward-rules': 'iptablesForwardRules',
  'iptables-resync': 'iptablesResyncSeconds',
  'healthz-ip': 'healthzIp',
  'healthz-port': 'healthzPort',
};

interface PasswordFlags {
  readonly 'etcd-password': string | undefined;
  readonly 'etcd-password-file': string | undefined;
}

/** @throws {InputError} when the password file cannot be read. */
export async function etcdSecrets(flags: PasswordFlags): Promise<StoreSecrets> {
  const path = flags['etcd-password-file'];
  const { readInput } = await import('./wire.ts');
  const password = path === undefined ? flags['etcd-password'] : (await readInput(path)).replace(/\r?\n$/, '');
  return password === undefined ? {} : { etcdPassword: password };
}
