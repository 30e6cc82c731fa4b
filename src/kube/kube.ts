/** What flannelctl knows of a Node; nothing else of the object is kept. */
export interface KubeNode {
  readonly name: string;
  readonly resourceVersion: string;
  readonly podCidrs: readonly string[];
  /** spec.podCIDR, which flannel requires even when podCIDRs is set. */
  readonly podCidr: string | null;
  /** Only those that start with the flannel prefix, without it. */
  readonly flannelAnnotations: Readonly<Record<string, string>>;
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  readonly ready: { readonly status: string; readonly since: number | null } | null;
}

/** @throws {UnavailableError} `permission` when forbidden (which is never "empty"), `unreachable`, `timeout`. */
export interface KubeApi {
  /** For a person: `https://10.0.0.1:6443`. */
  readonly description: string;
  /** All nodes, read page by page in one revision. */
  listNodes(): Promise<{ readonly nodes: readonly KubeNode[]; readonly resourceVersion: string }>;
  /** @throws {AbsentError} when it is not there. */
  readConfigMap(
    namespace: string,
    name: string,
  ): Promise<{ readonly data: Readonly<Record<string, string>>; readonly resourceVersion: string }>;
  close(): Promise<void>;
}
