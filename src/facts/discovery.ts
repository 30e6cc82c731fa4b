import type { Deployment } from './flannel.ts';
import type { FlanneldSettings } from './flanneld-flags.ts';
import type { ProcessInfo } from './processes.ts';

/** What one place says about how flannel runs here. */
export interface Discovery {
  readonly deployment: Deployment;
  readonly process: ProcessInfo | null;
  readonly unit: string | null;
  readonly settings: FlanneldSettings;
  /** For a person: `command line of flanneld (pid 812)`. */
  readonly source: string;
  /** False when nobody says which datastore; flanneld's own defaults count where flanneld was started without flags. */
  readonly knowsDatastore: boolean;
  /** Where the paths of its flags are found from the host: `/proc/812/root` for a container, else `''`. */
  readonly pathPrefix: string;
  /** How to reach the Kubernetes API when its flags do not say. */
  readonly kube: KubeAccess;
  readonly version: string | null;
}

export interface KubeAccess {
  readonly apiUrl?: string;
  readonly kubeconfigFile?: string;
  /** Directory with `token` and `ca.crt` of the service account that flanneld runs as. */
  readonly serviceAccountDir?: string;
}
