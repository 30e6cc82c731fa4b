import { Flags } from '@oclif/core';
import { DEFAULT_STATE_FILE } from './agent/settings.ts';
import { UsageError } from './errors.ts';
import { flannelFlags } from './flannel-flags.ts';

/** Flags of the agent, besides flanneld's own. */
export const upFlags = {
  ...flannelFlags,
  once: Flags.boolean({ default: false, summary: 'program the overlay once and leave' }),
  'dry-run': Flags.boolean({ default: false, summary: 'show what would be done; write nothing, take no lease' }),
  'set-node-network-unavailable': Flags.boolean({
    default: true,
    allowNo: true,
    env: 'FLANNELD_SET_NODE_NETWORK_UNAVAILABLE',
    summary: 'write the condition NetworkUnavailable of the Node',
  }),
  takeover: Flags.boolean({ default: false, summary: 'stop the flanneld that owns the overlay here' }),
  'on-conflict': Flags.option({
    options: ['fail', 'reallocate'] as const,
    default: 'fail' as const,
    summary: 'what to do when another host holds the subnet',
  })(),
  force: Flags.boolean({ default: false, summary: 'reallocate even while pods use the subnet' }),
  'cni-conf': Flags.string({
    summary: "keep flannel's CNI configuration in this file: /etc/cni/net.d/10-flannel.conflist",
  }),
  'leases-file': Flags.string({ summary: 'start from this LeaseList when no datastore answers' }),
  'state-file': Flags.string({ default: DEFAULT_STATE_FILE, summary: 'where the last known state is kept' }),
};

interface StayingFlags {
  readonly once: boolean;
  readonly takeover: boolean;
  readonly force: boolean;
  readonly 'on-conflict': string;
}

/** @throws {UsageError} for a flag that only an agent that stays can follow. */
export function refuseBesideOnce(flags: StayingFlags): void {
  const { once, takeover, force } = flags;
  const unused = [
    ...(once && takeover ? ['--takeover'] : []),
    ...(once && force ? ['--force'] : []),
    ...(once && flags['on-conflict'] === 'reallocate' ? ['--on-conflict reallocate'] : []),
  ];
  if (unused.length === 0) return;
  throw new UsageError(`${unused.join(', ')}: only the agent that stays does this, not --once`, {
    hint: `Leave out --once, or ${unused.length === 1 ? 'that flag' : 'those flags'}.`,
  });
}
