import type { Host } from '../host/host.ts';
import type { Discovery } from './discovery.ts';
import type { ProcessInfo } from './processes.ts';
import { ifThere, readDirIfThere } from './read-if-there.ts';

/** The kubelet keeps the logs of pods, also of those that do not run, in `NAMESPACE_POD_UID`. */
const LOG_DIRECTORY = '/var/log/pods';
const FLANNEL_POD = /^([\w.-]+)_((?:rke2-)?(?:kube-flannel(?:-ds)?|flannel|canal)[\w.-]*)_[\w-]+$/;

/** Where the kubelet has its own access to the API: kubeadm, rke2, others. */
const KUBECONFIGS = [
  '/etc/kubernetes/kubelet.conf',
  '/var/lib/rancher/rke2/agent/kubelet.kubeconfig',
  '/var/lib/kubelet/kubeconfig',
];

/** A DaemonSet's pod that was here and does not run: kube mode is all that this says. */
export async function discoverPod(host: Host, processes: readonly ProcessInfo[]): Promise<Discovery | undefined> {
  const pod = (await readDirIfThere(host, LOG_DIRECTORY)).find((name) => FLANNEL_POD.test(name));
  const [, namespace, name] = FLANNEL_POD.exec(pod ?? '') ?? [];
  if (name === undefined) return undefined;
  const isRke2 = name.startsWith('rke2-') || processes.some((process) => process.name === 'rke2');
  const kubeconfigFile = await firstThere(host, KUBECONFIGS);
  return {
    deployment: isRke2 ? 'rke2' : 'daemonset',
    process: null,
    unit: null,
    settings: { options: { kubeSubnetMgr: true }, etcdPassword: undefined },
    source: `logs of pod ${namespace}/${name}`,
    knowsDatastore: true,
    pathPrefix: '',
    kube: kubeconfigFile === undefined ? {} : { kubeconfigFile },
    version: null,
  };
}

async function firstThere(host: Host, paths: readonly string[]): Promise<string | undefined> {
  const found = await Promise.all(paths.map((path) => ifThere(host.stat(path))));
  return paths.find((_, index) => found[index] !== undefined);
}
