import { posix } from 'node:path';
import { UnavailableError } from '../errors.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import type { StoreSelection } from './store.ts';

/** The datastore that flanneld's flags name. Endpoints `file:///PATH` select the file store. @throws {UnavailableError} for an empty prefix. */
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
    prefix: cleanPrefix(options.etcdPrefix),
    keyFile: options.etcdKeyfile,
    certFile: options.etcdCertfile,
    caFile: options.etcdCafile,
    username: options.etcdUsername,
  };
}

/**
 * As flannel's path.Join(prefix, "config") has it: slashes that are too many go, one that is missing in front stays missing, because in etcd
 * that is another key.
 */
function cleanPrefix(prefix: string): string {
  const config = posix.join(prefix, 'config');
  if (config.endsWith('/config')) return config.slice(0, -'/config'.length);
  throw new UnavailableError('unsupported', `--etcd-prefix ${JSON.stringify(prefix)} names no place for keys`);
}
