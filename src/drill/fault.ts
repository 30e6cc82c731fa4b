import type { Argv, ExecResult } from '../host/host.ts';
import type { SubnetStore } from '../store/store.ts';

/** One node of the namespaced cluster, as faults see it. */
export interface DrillNode {
  /** 1-based. */
  readonly index: number;
  readonly name: string;
  /** Address on the underlay bridge, and the interface that carries it. */
  readonly publicIp: string;
  readonly underlayDevice: string;
  /** `flannel.1`. */
  readonly device: string;
  /** `10.244.1.0/24`, as leased when the cluster came up. */
  readonly subnet: string;
  readonly vtepMac: string;
  /** Runs in all namespaces of the node; exit codes other than 0 are results. */
  exec(argv: Argv, options?: { readonly input?: string; readonly timeoutMs?: number }): Promise<ExecResult>;
  /** As exec, @throws when the exit code is not 0: what inject and heal use. */
  must(argv: Argv, options?: { readonly input?: string }): Promise<string>;
  readFile(path: string): Promise<string>;
  writeFile(path: string, content: string): Promise<void>;
  /** Starts the stand-in for flanneld again with its arguments, and waits until it has programmed the node. */
  startFlanneld(): Promise<void>;
  /** Ends it by pid; no error when it does not run. */
  stopFlanneld(): Promise<void>;
}

export interface DrillContext {
  /** The node to break. */
  readonly node: DrillNode;
  /** All others, in order. */
  readonly peers: readonly DrillNode[];
  readonly store: SubnetStore;
  /** Reads and writes the datastore's raw records, past all our own rules. Keys are those below `<prefix>/subnets/`. */
  readonly raw: RawStore;
  /** Runs a program in the namespace of the switch, where the ports are named `port1`, `port2`, … by node. */
  onSwitch(argv: Argv): Promise<string>;
}

export interface RawStore {
  get(key: string): Promise<string | undefined>;
  /** `ttlSeconds`: time left from now. Left out: none in etcd; in a file what the record had. */
  put(key: string, value: string, options?: { readonly ttlSeconds?: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

/** A way to break a node for real. One file each; what it injects must be found there by the check's id, as the only root. */
export interface Fault {
  /** File name; the check's id, or `<check id>-<variant>`. */
  readonly name: string;
  /** Id that must be found as root. */
  readonly check: string;
  /** One sentence: what is done to the node. */
  readonly title: string;
  /** Ids that may fail as consequences. Anything else that fails, or is a root, is a false alarm. */
  readonly also: readonly string[];
  /** `fix`: `doctor --fix --yes` must repair it; `heal`: no tool may, {@link heal} undoes it. */
  readonly repair: 'fix' | 'heal';
  /**
   * What it needs and not every machine has, checked in the node before: a program by its name (`nft`), or a kernel feature by an
   * absolute path that only exists with it (`/proc/sys/net/bridge/bridge-nf-call-iptables`).
   */
  readonly requires?: readonly string[];
  /** Datastores with which it can be injected. Default: all. */
  readonly stores?: readonly ('file' | 'etcd')[];
  /** `false`: never injected together with another fault, because each takes away what the other needs. Default: it may be. */
  readonly pairable?: boolean;
  inject(context: DrillContext): Promise<void>;
  /** Undoes the injection, also half-way through one, also after `--fix` has repaired it. */
  heal(context: DrillContext): Promise<void>;
}

/** For the types alone. */
export function defineFault(fault: Fault): Fault {
  return fault;
}
