import type { FlannelOptions } from '../net/flannel-options.ts';

/** Files that it reads and writes besides flannel's. */
export interface AgentFiles {
  /** Document of leases to start from without a datastore; `undefined`: only the state file. */
  readonly leasesFile: string | undefined;
  readonly stateFile: string;
  /** Where the CNI configuration is kept; `undefined`: nowhere. */
  readonly cniConf: string | undefined;
}

/** How the agent was told to behave. */
export interface AgentSettings extends AgentFiles {
  readonly options: FlannelOptions;
  /** What a lease held by another host leads to. */
  readonly onConflict: 'fail' | 'reallocate';
  /** Takes another subnet even while pods use the one it had. */
  readonly force: boolean;
  /** Stops a flanneld that owns the overlay here. */
  readonly takeover: boolean;
  /** Identity of the datastore's part that is used: `/coreos.com/network`, or the annotation prefix. */
  readonly prefix: string;
}

/** Ms between two looks at the kernel when nothing calls for one: its own events do, so this is for one that was missed. */
export const RESYNC_MS = 30_000;

export const DEFAULT_STATE_FILE = '/var/lib/flannelctl/state.json';
