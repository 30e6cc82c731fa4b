export interface ConflistInput {
  /** Where subnet.env is; flannel's CNI plugin looks in /run/flannel when it is not told. */
  readonly subnetFile: string;
}

/** Where kubelet and the container runtimes look, under the name flannel's own manifests give it. */
export const CONFLIST_PATH = '/etc/cni/net.d/10-flannel.conflist';

const DEFAULT_SUBNET_FILE = '/run/flannel/subnet.env';

/** Flannel's CNI configuration as its manifests ship it (kube-flannel.yml, cni-conf.json), with the path of subnet.env where it is another. */
export function renderConflist({ subnetFile }: ConflistInput): string {
  const flannel = {
    type: 'flannel',
    ...(subnetFile !== DEFAULT_SUBNET_FILE && { subnetFile }),
    delegate: { hairpinMode: true, isDefaultGateway: true },
  };
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  return `${JSON.stringify({ name: 'cbr0', cniVersion: '0.3.1', plugins: [flannel, portmap] }, null, 2)}\n`;
}
