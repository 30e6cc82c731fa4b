import { AbsentError, FlannelctlError, UnavailableError } from '../errors.ts';
import type { Host, HostWriter } from '../host/host.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { AcquireRequest, Lease, LeaseRecord, StoredNetworkConfig, SubnetStore } from '../store/store.ts';
import { applyPlan } from './apply.ts';
import { desiredOverlay } from './desired.ts';
import { isFlannelDevice } from './device.ts';
import type { ActualOverlay, DesiredOverlay, OverlayPlan } from './entry.ts';
import { holdsTest } from './holds.ts';
import { type ActualDevices, LINKS_COMMAND, observeOverlay, readKernel } from './observe.ts';
import { isOwnRecord, leaseRequest, readPreviousSubnets, refuseHeldSubnets } from './own-lease.ts';
import { parseUnderlayInterfaces } from './parse.ts';
import { planOverlay } from './plan.ts';
import { directTest } from './routing.ts';
import { renderSubnetEnv, subnetMtu } from './subnet-env.ts';
import { chooseUnderlay, type Underlay, type UnderlayChoice, type UnderlayInput } from './underlay.ts';
import { keptUnderlay } from './underlay-kept.ts';
import { considerUnderlay } from './underlay-observe.ts';
import { BY_MAIN_TABLE } from './underlay-routes.ts';

export interface ProgramInput {
  readonly options: FlannelOptions;
  readonly host: Host;
  readonly store: SubnetStore;
  /** The store's own parser of what it holds, with the ranges filled in. @throws when flannel would refuse it. */
  readonly readConfig: (stored: StoredNetworkConfig, kind: SubnetStore['kind']) => { readonly config: NetworkConfig };
}

/** All that can be known before a lease is held. Nothing has been written. */
export interface Preparation {
  readonly config: NetworkConfig;
  readonly underlay: Underlay;
  readonly actual: ActualOverlay;
  /** What is asked of the datastore. */
  readonly request: AcquireRequest;
  /** `--ip-blackhole-route` */
  readonly hasBlackhole: boolean;
  /** Why no interface can be chosen at the moment: the last one is kept. Absence: it was chosen now. */
  readonly doubt?: string;
}

/** With what the interface was chosen from, for who explains the choice. */
export interface ReadPreparation extends Preparation {
  readonly considered: UnderlayInput;
}

export interface Programmed {
  readonly lease: Lease;
  /** As it was before it was applied. */
  readonly plan: OverlayPlan;
  readonly desired: DesiredOverlay;
  readonly underlay: Underlay;
  readonly config: NetworkConfig;
}

/** All that is known when the overlay is there and subnet.env is not. */
export interface BeforeFile extends Pick<Programmed, 'config' | 'lease'> {
  readonly subnetEnv: string;
}

/** How a plan is carried out; `beforeFile` runs before subnet.env is written. */
export interface Carrying {
  readonly host: Host;
  readonly writer: HostWriter;
  readonly options: FlannelOptions;
  readonly beforeFile?: ((programmed: BeforeFile) => Promise<void>) | undefined;
}

/**
 * Chooses the interface, acquires the lease, programs the kernel and writes subnet.env: what flanneld does at its start, once.
 *
 * @throws as {@link prepareProgram} and {@link programLeased}.
 */
export async function programOnce(input: ProgramInput & Leasing): Promise<Programmed> {
  return programLeased(await prepareProgram(input), input);
}

export interface Leasing extends Carrying {
  readonly store: SubnetStore;
  /** Runs while the lease is held and the other leases have not been read yet. */
  readonly whenLeased?: ((lease: Lease) => Promise<void>) | undefined;
}

/**
 * The same for a node that has been looked at.
 *
 * @throws {FlannelctlError} exit 1 when another node holds the subnet; {ApplyError} when the kernel refused something;
 *   {UnavailableError} when something could not be read.
 */
export async function programLeased(preparation: Preparation, input: Leasing): Promise<Programmed> {
  const { store, whenLeased } = input;
  // An assigned subnet is this node's, whoever else publishes it.
  const isChosen = store.assigned === undefined;
  if (isChosen) refuseConflict(preparation, (await store.listLeases({ ttl: false })).records);
  const own = await store.acquire(preparation.request);
  await whenLeased?.(own);
  const { records } = await store.listLeases({ ttl: false });
  if (isChosen) refuseHeldSubnets(subnetsOf(own), preparation.underlay, records);
  return programKnown(preparation, { own, records, isComplete: true }, input);
}

/** What is known of the leases. */
export interface KnownLeases {
  readonly own: Lease;
  readonly records: readonly LeaseRecord[];
  /** A complete and current listing: what it lacks may be removed. */
  readonly isComplete: boolean;
}

/** Programs the kernel for leases that are known, and writes subnet.env; no datastore is asked. @throws {ApplyError} when the kernel refused something. */
export async function programKnown(
  preparation: Preparation,
  known: KnownLeases,
  { host, writer, options, beforeFile }: Carrying,
): Promise<Programmed> {
  const { config, underlay, actual } = preparation;
  const { own: lease, isComplete: removals } = known;
  const { desired, plan } = planProgram(preparation, known);
  refuseForeignLinks(plan, actual);
  const reobserve = async () => planOverlay(desired, await observeOverlay(host), { removals });
  await applyPlan({ writer, plan, reobserve });
  await acceptNoRouters(writer, desired);
  const subnetEnv = subnetEnvOf(preparation, lease, options);
  await beforeFile?.({ config, lease, subnetEnv });
  await writer.writeFile(options.subnetFile, subnetEnv);
  return { lease, plan, desired, underlay, config };
}

/** Reads configuration, interfaces, routes and what the kernel holds. @throws {UnavailableError} when no interface can be chosen. */
export async function prepareProgram({ options, host, store, readConfig }: ProgramInput): Promise<ReadPreparation> {
  const { config } = readConfig(await store.readNetworkConfig(), store.kind);
  return prepareNode(config, { options, host });
}

export interface NodeInput extends Pick<ProgramInput, 'options' | 'host'> {
  /** What was chosen before. */
  readonly last?: Underlay;
}

/**
 * The same for a configuration that has been read.
 *
 * @throws {UnavailableError} when no interface can be chosen, and the last one cannot be kept.
 */
export async function prepareNode(config: NetworkConfig, { options, host, last }: NodeInput): Promise<ReadPreparation> {
  const links = readKernel(host, LINKS_COMMAND);
  const [actual, previous] = await Promise.all([
    observeOverlay(host, { links }),
    readPreviousSubnets(host, options.subnetFile),
  ]);
  const considered = await considerUnderlay(host, {
    options,
    interfaces: parseUnderlayInterfaces(await links),
    routes: actual.routes,
    wantsIpv4: config.enableIPv4,
    wantsIpv6: config.enableIPv6,
  });
  const choice = chooseUnderlay(considered);
  const settled = settleOn(choice, last, keptUnderlay(last, considered));
  const request = leaseRequest({ config, ...settled, actual, previous });
  return { config, ...settled, considered, actual, request, hasBlackhole: options.ipBlackholeRoute };
}

function settleOn(
  choice: UnderlayChoice,
  last: Underlay | undefined,
  kept: Underlay | undefined,
): Pick<Preparation, 'underlay' | 'doubt'> {
  if (choice.status === 'chosen' && !isDetour(choice.underlay, last)) return { underlay: choice.underlay };
  const { reason, hint } = choice.status === 'none' ? choice : NO_MAIN_DEFAULT;
  if (kept === undefined) throw new UnavailableError('unsupported', reason, { hint });
  return { underlay: kept, doubt: reason };
}

const NO_MAIN_DEFAULT = { reason: 'the main table has no default route', hint: 'Name the interface with --iface.' };

/** While the main table has no default route, one that a rule of another interface leads to is no reason to move the tunnel there. */
function isDetour(chosen: Underlay, last: Underlay | undefined): boolean {
  return last?.because === BY_MAIN_TABLE && chosen.because !== BY_MAIN_TABLE;
}

/** What has to be done for the own lease among the others. */
export function planProgram(
  { config, underlay, actual, hasBlackhole }: Preparation,
  { own, records: leases, isComplete }: KnownLeases,
): { readonly desired: DesiredOverlay; readonly plan: OverlayPlan } {
  const isDirect = directTest(actual.routes);
  const isHeld = holdsTest(actual);
  const desired = desiredOverlay({ config, own, underlay, leases, isDirect, hasBlackhole, isHeld });
  return { desired, plan: planOverlay(desired, actual, { removals: isComplete }) };
}

/** @throws {FlannelctlError} exit 1 when this node has no lease and the subnet it had is now another's. */
export function refuseConflict(
  { underlay, actual, request }: Pick<Preparation, 'underlay' | 'request'> & { readonly actual: ActualDevices },
  records: readonly LeaseRecord[],
): void {
  if (records.some((record) => isOwnRecord(record, underlay))) return;
  const onDevices = actual.addresses.filter(({ device }) => isFlannelDevice(device)).map(({ address }) => address);
  const used = [request.previousSubnet, request.previousIpv6Subnet, ...onDevices].filter((text) => text !== undefined);
  refuseHeldSubnets(used, underlay, records);
}

/** Text of subnet.env for this lease. */
export function subnetEnvOf(
  { config, underlay }: Pick<Preparation, 'config' | 'underlay'>,
  lease: Lease,
  { ipMasq }: FlannelOptions,
): string {
  return renderSubnetEnv({ config, lease, mtuBytes: subnetMtu(config, underlay.mtuBytes), ipMasq });
}

function subnetsOf({ subnet, ipv6Subnet }: Lease): readonly string[] {
  return [subnet, ipv6Subnet].filter((text) => text !== null);
}

/** @throws {FlannelctlError} when a device of another kind has the name of ours. */
export function refuseForeignLinks({ operations }: OverlayPlan, { strangers }: ActualOverlay): void {
  const link = operations.find(({ verb, entry }) => verb === 'foreign' && entry.kind === 'link')?.entry.device;
  if (link === undefined || link === null) return;
  const kind = strangers[link] || 'device of another kind';
  throw new FlannelctlError({ code: 'foreign-link', exitCode: 1 }, `${link} is a ${kind}, not vxlan`, {
    hint: `Find out who made it; then: ip link del dev ${link}`,
  });
}

/** As flannel does, best effort: without IPv6 in the kernel there is no such setting, and in a container it may be read-only. */
export async function acceptNoRouters(writer: HostWriter, { devices }: Pick<DesiredOverlay, 'devices'>): Promise<void> {
  for (const device of devices) {
    try {
      await writer.writeSysctl(`net.ipv6.conf.${device}.accept_ra`, '0');
    } catch (error) {
      if (!(error instanceof AbsentError || error instanceof UnavailableError)) throw error;
    }
  }
}
