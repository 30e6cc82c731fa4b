import type { OnceResult } from '../agent/once.ts';

/** What `up` did or would do, a line an operation. */
export function renderOverlayPlan({ lease, underlay, changes }: OnceResult, isDry: boolean): string {
  const subnets = [lease.subnet, lease.ipv6Subnet].filter((subnet) => subnet !== null).join(' and ');
  const publicIps = [underlay.publicIp, underlay.publicIpv6].filter((ip) => ip !== null).join(' and ');
  const head = `${isDry ? 'would lease' : 'leased'} ${subnets} for ${publicIps} on ${underlay.device} (${underlay.because})`;
  return [head, ...changes].join('\n');
}

/** Why this interface, when more is to be said, and the leases that were left out, and why; one line each. */
export function notesOf({ desired, explanation }: OnceResult, isVerbose: boolean): readonly string[] {
  const ignored = desired.ignored.map(({ key, reason }) => `ignored lease ${JSON.stringify(key)}: ${reason}`);
  return [...(isVerbose ? explanation : []), ...ignored];
}

/** The document of `up -o json`. */
export function overlayPlanDocument(result: OnceResult, isDry: boolean) {
  const { lease, underlay, changes, desired, subnetEnv } = result;
  return {
    apiVersion: 'flannelctl.dev/v1',
    kind: 'OverlayPlan',
    dryRun: isDry,
    subnet: lease.subnet,
    ipv6Subnet: lease.ipv6Subnet,
    publicIP: underlay.publicIp,
    publicIPv6: underlay.publicIpv6,
    iface: underlay.device,
    changes,
    ignored: desired.ignored,
    subnetEnv,
  };
}
