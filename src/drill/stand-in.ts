import { programOnce } from '../dataplane/program.ts';
import { UnavailableError, UsageError } from '../errors.ts';
import { FLANNEL_DEFAULTS, type FlannelOptions } from '../net/flannel-options.ts';

import { selectStore } from '../store/selection.ts';
import type { SubnetStore } from '../store/store.ts';
import { parseStoredConfig } from '../store/stored-config.ts';
import { READY_LINE } from './flanneld.ts';
import { type DrillTools, waitFor } from './tools.ts';

export interface StandInParts extends Pick<DrillTools, 'host' | 'writer' | 'clock' | 'signal' | 'openStore'> {
  /** How many leases there must be before the overlay is programmed, this one included. */
  readonly peers: number;
  /** One line of its log. */
  readonly log: (line: string) => void;
}

/**
 * flanneld as far as the drill needs it: takes its lease, programs the overlay once, writes subnet.env, and from then on does
 * nothing but exist. What drifts stays drifted.
 *
 * @throws {UsageError} for a flag that flanneld does not have or the drill does not use.
 */
export async function standIn(argv: readonly string[], parts: StandInParts): Promise<void> {
  const options = flanneldOptions(argv);
  const store = await parts.openStore(selectStore(options));
  try {
    const whenLeased = () => waitForPeers(store, parts);
    await programOnce({ ...parts, options, store, readConfig: parseStoredConfig, whenLeased });
    parts.log(`Wrote subnet file to ${options.subnetFile}`);
  } finally {
    await store.close();
  }
  parts.log(READY_LINE);
}

/** So that each node programs all of its peers, whoever was first. */
async function waitForPeers(store: SubnetStore, parts: StandInParts): Promise<void> {
  const complete = await waitFor(parts, { timeoutMs: 20_000, everyMs: 50 }, async () => {
    const { records } = await store.listLeases({ ttl: false });
    return records.length >= parts.peers ? true : undefined;
  });
  if (complete === undefined) {
    throw new UnavailableError('timeout', `there are not ${parts.peers} leases in ${store.description} after 20 s`);
  }
}

/** The flags a drill starts flanneld with, in the form it uses: `--name=value`. */
function flanneldOptions(argv: readonly string[]): FlannelOptions {
  return argv.reduce(withFlag, FLANNEL_DEFAULTS);
}

function withFlag(options: FlannelOptions, flag: string): FlannelOptions {
  const [, name, value = ''] = /^--([a-z-]+)=(.*)$/.exec(flag) ?? [];
  switch (name) {
    case 'etcd-endpoints':
      return { ...options, etcdEndpoints: value.split(',') };
    case 'etcd-prefix':
      return { ...options, etcdPrefix: value };
    case 'iface':
      return { ...options, iface: [...options.iface, value] };
    case 'iptables-forward-rules':
      return { ...options, iptablesForwardRules: value === 'true' };
    case 'subnet-file':
      return { ...options, subnetFile: value };
    default:
      throw new UsageError(`the stand-in for flanneld does not know ${JSON.stringify(flag)}`);
  }
}
