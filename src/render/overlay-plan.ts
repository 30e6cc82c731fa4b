import type { OnceResult } from '../agent/once.ts';

/** What `up` did or would do, a line an operation: `+`, `-` or `=`. */
export function renderOverlayPlan(result: OnceResult, isDry: boolean): string {
  const changes = result.changes.filter((line) => !isForeign(line));
  return (isDry ? changes : [headOf(result, isDry), ...changes]).join('\n');
}

export interface NoteWishes {
  readonly isDry: boolean;
  /** Nothing but what may not be missed. */
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
}

/** What goes beside the operations: the lease of a dry run, why this interface, and what was left alone, and why; one line each. */
export function notesOf(result: OnceResult, { isDry, isQuiet, isVerbose }: NoteWishes): readonly string[] {
  const { desired, explanation, changes, notes, warning } = result;
  const warnings = warning === null ? [] : [warning];
  if (isQuiet) return warnings;
  const foreign = changes.filter(isForeign).map((line) => `somebody else holds what should be: ${line.slice(2)}`);
  const ignored = desired.ignored.map(({ key, reason }) => `ignored lease ${JSON.stringify(key)}: ${reason}`);
  return [
    ...warnings,
    ...(isDry ? [headOf(result, isDry)] : []),
    ...(isVerbose ? explanation : []),
    ...notes,
    ...foreign,
    ...ignored,
  ];
}

function headOf({ lease, underlay, warning }: OnceResult, isDry: boolean): string {
  const subnets = [lease.subnet, lease.ipv6Subnet].filter((subnet) => subnet !== null).join(' and ');
  const publicIps = [underlay.publicIp, underlay.publicIpv6].filter((ip) => ip !== null).join(' and ');
  const has = isDry ? 'would lease' : 'leased';
  return `${warning === null ? has : 'goes on with'} ${subnets} for ${publicIps} on ${underlay.device} (${underlay.because})`;
}

function isForeign(line: string): boolean {
  return line.startsWith('! ');
}

/** The document of `up -o json`. */
export function overlayPlanDocument(result: OnceResult, isDry: boolean) {
  const { lease, underlay, changes, notes, desired, subnetEnv, warning } = result;
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
    notes: warning === null ? notes : [warning, ...notes],
    subnetEnv,
  };
}
