import { renderOperation } from '../dataplane/batch.ts';
import { desiredOverlay } from '../dataplane/desired.ts';
import type { Operation } from '../dataplane/entry.ts';
import { holdsTest } from '../dataplane/holds.ts';
import { planTrafficRules } from '../dataplane/masquerade.ts';
import { observeOverlay } from '../dataplane/observe.ts';
import { findOwnRecord } from '../dataplane/own-lease.ts';
import { planOverlay } from '../dataplane/plan.ts';
import { prepareNode, subnetEnvOf } from '../dataplane/program.ts';
import { lineText, renderAdd } from '../dataplane/render.ts';
import { directTest } from '../dataplane/routing.ts';
import { AbsentError, UnavailableError } from '../errors.ts';
import type { Clock } from '../host/clock.ts';
import type { Host } from '../host/host.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import type { Lease } from '../store/store.ts';
import { holderOf } from './foreign.ts';
import type { Knowledge } from './knowledge.ts';
import { problemText } from './problem.ts';
import { type RulesInput, rulesFor } from './rules.ts';

/** What the kernel should hold for the overlay, against what it holds. */
export type OverlayStatus =
  | { readonly status: 'down'; readonly reason: string }
  | ({ readonly status: 'in-order' | 'drift' | 'unknown' } & OverlayState);

export interface OverlayState {
  readonly subnet: string | null;
  readonly ipv6Subnet: string | null;
  readonly publicIp: string | null;
  readonly publicIpv6: string | null;
  readonly iface: string;
  readonly peers: number;
  readonly lease: LeaseStatus;
  readonly drift: readonly Drift[];
  /** What could not be looked at, and why. */
  readonly unknown: readonly string[];
  readonly ignored: readonly { readonly key: string; readonly reason: string }[];
  /** Where the leases were read. */
  readonly source: string;
}

export type LeaseStatus =
  | { readonly state: 'none' }
  | { readonly state: 'held'; readonly key: string; readonly secondsLeft: number | null | undefined };

/** One difference: what would put it right. */
export interface Drift {
  readonly verb: Operation['verb'];
  readonly kind: string;
  /** Command lines; none for what somebody else holds. */
  readonly commands: readonly string[];
  /** What somebody else has put in its place, as `ip route` prints it. */
  readonly holder?: string;
}

export interface StatusInput {
  readonly host: Host;
  readonly clock: Clock;
  readonly options: FlannelOptions;
  /** Whether the options say which packet filter rules there should be; else nobody knows, and none is missed. */
  readonly isToldRules: boolean;
  /** Asked only when there is something to compare with. */
  readonly know: () => Promise<Knowledge>;
}

/** @throws {UnavailableError} when it could not be read. */
export async function readStatus({ host, clock, options, isToldRules, know }: StatusInput): Promise<OverlayStatus> {
  const { links } = await observeOverlay(host);
  if (links.length === 0) return { status: 'down', reason: 'there is no flannel device' };
  const { config, records, source, isCurrent, ownKey, expiryOf } = await know();
  const preparation = await prepareNode(config, { options, host });
  const { underlay, actual, hasBlackhole } = preparation;
  const lease = findOwnRecord(records, underlay, ownKey) ?? null;
  const isDirect = directTest(actual.routes);
  const isHeld = holdsTest(actual);
  const desired = desiredOverlay({ config, own: lease, underlay, leases: records, isDirect, hasBlackhole, isHeld });
  const plan = planOverlay(desired, actual, { removals: isCurrent });
  const missing = desired.devices.filter((name) => !actual.links.some(({ device }) => device === name));
  if (missing.length === desired.devices.length)
    return { status: 'down', reason: `there is no ${missing.join(' and no ')}` };
  const rules = isToldRules && lease !== null ? await lookAtRules({ host, config, lease, options }) : NO_RULES;
  const drift = [
    ...(lease === null
      ? [NO_LEASE]
      : await subnetFileDrift(host, options.subnetFile, subnetEnvOf(preparation, lease, options))),
    ...plan.operations.filter(({ verb }) => verb !== 'keep').map(driftOf),
    ...rules.drift,
  ];
  return {
    status: drift.length > 0 ? 'drift' : rules.unknown.length > 0 ? 'unknown' : 'in-order',
    subnet: lease?.subnet ?? null,
    ipv6Subnet: lease?.ipv6Subnet ?? null,
    publicIp: underlay.publicIp,
    publicIpv6: underlay.publicIpv6,
    iface: underlay.device,
    peers: desired.peers.length,
    lease: lease === null ? { state: 'none' } : await leaseStatus(lease, expiryOf, clock),
    drift,
    unknown: rules.unknown,
    ignored: desired.ignored,
    source,
  };
}

const NO_LEASE: Drift = { verb: 'add', kind: 'lease', commands: ['flannelctl up'] };

function driftOf(operation: Operation): Drift {
  const { verb, entry, before } = operation;
  if (verb !== 'foreign') return { verb, kind: entry.kind, commands: renderOperation(operation) };
  const holder = holderOf(before);
  const commands = renderAdd(entry, 'add').map(lineText);
  return { verb, kind: entry.kind, commands, ...(holder !== undefined && { holder }) };
}

const NO_RULES = { drift: [], unknown: [] };

/** Not everybody who may look at the routes may look at the rules. */
async function lookAtRules(input: RulesInput): Promise<Pick<OverlayState, 'drift' | 'unknown'>> {
  try {
    const steps = await planTrafficRules({ host: input.host, rules: await rulesFor(input) });
    const drift = steps.map(({ changes }) => ({ verb: 'replace', kind: 'packet-filter', commands: changes }) as const);
    return { drift, unknown: [] };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { drift: [], unknown: [`the packet filter rules: ${problemText(error)}`] };
  }
}

async function subnetFileDrift(host: Host, path: string, text: string): Promise<readonly Drift[]> {
  const drift = (verb: 'add' | 'replace'): readonly Drift[] => [
    { verb, kind: 'subnet-file', commands: [`flannelctl up: ${path}`] },
  ];
  try {
    return (await host.readFile(path)) === text ? [] : drift('replace');
  } catch (error) {
    if (error instanceof AbsentError) return drift('add');
    throw error;
  }
}

async function leaseStatus(lease: Lease, expiryOf: Knowledge['expiryOf'], clock: Clock): Promise<LeaseStatus> {
  const { key } = lease;
  const expiresAt = await expiryOf(lease);
  const secondsLeft =
    typeof expiresAt === 'number' ? Math.max(0, Math.round((expiresAt - clock.now()) / 1000)) : expiresAt;
  return { state: 'held', key, secondsLeft };
}
