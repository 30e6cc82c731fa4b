import type { FlannelOptions } from '../net/flannel-options.ts';
import type { StoreSelection } from './store.ts';

/** The datastore that flanneld's flags name. Endpoints `file:///PATH` select the file store. */
export function selectStore(options: FlannelOptions): StoreSelection {
  if (options.kubeSubnetMgr) {
    return {
      kind: 'kube',
      apiUrl: options.kubeApiUrl,
      kubeconfigFile: options.kubeconfigFile,
      context: options.kubeContext,
      annotationPrefix: options.kubeAnnotationPrefix,
      netConfigPath: options.netConfigPath,
    };
  }
  const file = options.etcdEndpoints.find((endpoint) => endpoint.startsWith('file:///'));
  if (file !== undefined) return { kind: 'file', path: file.slice('file://'.length) };
  return {
    kind: 'etcd',
    endpoints: options.etcdEndpoints,
    prefix: `/${options.etcdPrefix
      .split('/')
      .filter((part) => part !== '')
      .join('/')}`,
    keyFile: options.etcdKeyfile,
    certFile: options.etcdCertfile,
    caFile: options.etcdCafile,
    username: options.etcdUsername,
  };
}
