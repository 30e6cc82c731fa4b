/** flanneld's flags with its own defaults, as they are in force (flannel main.go:init). */
export interface FlannelOptions {
  readonly etcdEndpoints: readonly string[];
  readonly etcdPrefix: string;
  readonly etcdKeyfile: string;
  readonly etcdCertfile: string;
  readonly etcdCafile: string;
  readonly etcdUsername: string;
  readonly kubeSubnetMgr: boolean;
  readonly kubeApiUrl: string;
  readonly kubeconfigFile: string;
  /** kubectl's own `--context`; flanneld has none. */
  readonly kubeContext: string;
  readonly kubeAnnotationPrefix: string;
  readonly netConfigPath: string;
  readonly iface: readonly string[];
  readonly ifaceRegex: readonly string[];
  readonly ifaceCanReach: string;
  readonly publicIp: string;
  readonly publicIpv6: string;
  readonly subnetFile: string;
  /** Minutes. */
  readonly subnetLeaseRenewMarginMinutes: number;
  readonly ipMasq: boolean;
  readonly ipMasqFullyRandomDisable: boolean;
  readonly ipBlackholeRoute: boolean;
  readonly iptablesForwardRules: boolean;
  readonly iptablesResyncSeconds: number;
  readonly healthzIp: string;
  readonly healthzPort: number;
}

export const FLANNEL_DEFAULTS: FlannelOptions = {
  etcdEndpoints: ['http://127.0.0.1:4001', 'http://127.0.0.1:2379'],
  etcdPrefix: '/coreos.com/network',
  etcdKeyfile: '',
  etcdCertfile: '',
  etcdCafile: '',
  etcdUsername: '',
  kubeSubnetMgr: false,
  kubeApiUrl: '',
  kubeconfigFile: '',
  kubeContext: '',
  kubeAnnotationPrefix: 'flannel.alpha.coreos.com',
  netConfigPath: '/etc/kube-flannel/net-conf.json',
  iface: [],
  ifaceRegex: [],
  ifaceCanReach: '',
  publicIp: '',
  publicIpv6: '',
  subnetFile: '/run/flannel/subnet.env',
  subnetLeaseRenewMarginMinutes: 60,
  ipMasq: false,
  ipMasqFullyRandomDisable: false,
  ipBlackholeRoute: false,
  iptablesForwardRules: true,
  iptablesResyncSeconds: 5,
  healthzIp: '0.0.0.0',
  healthzPort: 0,
};
