import type { UnavailableError } from '../errors.ts';

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

/** One change of the nodes, or all of them again. */
export type NodeEvent =
  | {
      readonly type: 'snapshot';
      readonly nodes: readonly KubeNode[];
      readonly resourceVersion: string;
      /** Why again: `compacted`, `reconnected`; `null`: the first. */
      readonly because: string | null;
    }
  | { readonly type: 'put'; readonly node: KubeNode }
  /** As it was last. */
  | { readonly type: 'delete'; readonly node: KubeNode };

/** @throws {UnavailableError} `permission` when forbidden (which is never "empty"), `unreachable`, `timeout`. */
export interface KubeApi {
  /** For a person: `https://10.0.0.1:6443`. */
  readonly description: string;
  /** All nodes, read page by page in one revision. */
  listNodes(): Promise<{ readonly nodes: readonly KubeNode[]; readonly resourceVersion: string }>;
  /**
   * A snapshot first, and again where the API could not be followed; in between single changes. The API ends every watch
   * after some minutes; that is no gap, because the next one goes on where it ended. Ends when `signal` aborts.
   * @throws {UnavailableError} only when the very first snapshot cannot be read; later failures go to `onInterruption`.
   */
  watchNodes(
    signal: AbortSignal,
    options?: { readonly onInterruption?: (error: UnavailableError) => void },
  ): AsyncIterable<NodeEvent>;
  /** @throws {AbsentError} when it is not there. */
  readConfigMap(
    namespace: string,
    name: string,
  ): Promise<{ readonly data: Readonly<Record<string, string>>; readonly resourceVersion: string }>;
  /** @throws {AbsentError} when it is not there. */
  readNode(name: string): Promise<KubeNode>;
  /** Name of the Node that a Pod runs on. @throws {AbsentError} when there is no such Pod, or it is on no Node yet. */
  nodeOfPod(namespace: string, name: string): Promise<string>;
  /**
   * One patch of `nodes/<name>/status`, annotations included, as flannel makes it: the right to patch nodes is not needed.
   * @throws {ConflictError} when the Node is no longer at `resourceVersion`; {AbsentError} when it is not there.
   */
  patchNodeStatus(name: string, patch: NodeStatusPatch): Promise<KubeNode>;
  close(): Promise<void>;
}

export interface NodeStatusPatch {
  /** Compared by the API server; left out: not compared. */
  readonly resourceVersion?: string;
  /** Without the flannel prefix. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly condition?: NodeConditionPatch;
}

export interface NodeConditionPatch {
  readonly type: 'NetworkUnavailable';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
  /** Epoch ms. */
  readonly at: number;
}
