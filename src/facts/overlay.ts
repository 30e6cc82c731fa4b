import { desiredOverlay } from '../dataplane/desired.ts';
import { isFlannelDevice } from '../dataplane/device.ts';
import type { ActualOverlay, DesiredOverlay, OverlayPlan } from '../dataplane/entry.ts';
import { holdsTest } from '../dataplane/holds.ts';
import { observeOverlay } from '../dataplane/observe.ts';
import { planOverlay } from '../dataplane/plan.ts';
import { directTest } from '../dataplane/routing.ts';
import { chooseUnderlay, type Underlay } from '../dataplane/underlay.ts';
import { considerUnderlay } from '../dataplane/underlay-observe.ts';
import { UnavailableError } from '../errors.ts';
import type { Lease } from '../store/store.ts';
import { leasesFact, networkConfigFact, ownLeaseFact } from './datastore.ts';
import { type CollectContext, defineFact } from './fact.ts';
import { flannelStartFact } from './flannel.ts';
import { type InterfaceInfo, interfacesFact } from './interfaces.ts';
import { linkListingFact, routesFact } from './kernel-listings.ts';
import { subnetEnvFact } from './subnet-env.ts';

export type { Underlay } from '../dataplane/underlay.ts';

/**
 * The interface that carries the tunnel, chosen in flannel's order (contract of `--iface` and friends).
 * `unknown` when none can be chosen: the detail says what flannel would log.
 */
export const underlayFact = defineFact<Underlay>({
  name: 'underlay',
  absence: 'never',
  cost: 'passive',
  timeoutMs: 10_000,
  collect: async (context) => {
    const [{ options }, interfaces, routes] = await Promise.all([
      context.get(flannelStartFact),
      context.get(interfacesFact),
      context.get(routesFact),
    ]);
    const families = await familiesOf(context, interfaces);
    const considered = await considerUnderlay(context.host, { options, interfaces, routes, ...families });
    const choice = chooseUnderlay(considered);
    if (choice.status === 'chosen') return choice.underlay;
    throw new UnavailableError('unsupported', choice.reason, { hint: choice.hint });
  },
});

/** What the kernel should hold according to configuration and leases; absent for backends without vxlan. Also where this node has no lease: then peers only. */
export const desiredOverlayFact = defineFact<DesiredOverlay>({
  name: 'desired-overlay',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'another backend than vxlan' },
  collect: async (context) => {
    const [{ config }, underlay, { records }, actual, own] = await Promise.all([
      context.get(networkConfigFact),
      context.get(underlayFact),
      context.get(leasesFact),
      context.get(actualOverlayFact),
      ownLeaseOf(context),
    ]);
    const ownSubnets = own === null ? await subnetsInUse(context, actual) : [];
    return desiredOverlay({
      config,
      own,
      ownSubnets,
      underlay,
      leases: records,
      isDirect: directTest(actual.routes),
      isHeld: holdsTest(actual),
    });
  },
});

/** What the kernel holds. */
export const actualOverlayFact = defineFact<ActualOverlay>({
  name: 'actual-overlay',
  absence: 'never',
  cost: 'passive',
  timeoutMs: 10_000,
  collect: async (context) => {
    const [links, routes] = await Promise.all([context.get(linkListingFact), context.get(routesFact)]);
    return observeOverlay(context.host, { links, routes });
  },
});

/** The difference: what link, address, neighbour, fdb and route checks explain and what their remedies carry. */
export const overlayPlanFact = defineFact<OverlayPlan>({
  name: 'overlay-plan',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'another backend than vxlan' },
  collect: async (context) => {
    const [desired, actual] = await Promise.all([context.get(desiredOverlayFact), context.get(actualOverlayFact)]);
    // The listing is complete and of one revision, or desired would be unknown.
    return planOverlay(desired, actual, { removals: true });
  },
});

interface Families {
  readonly wantsIpv4: boolean;
  readonly wantsIpv6: boolean;
}

/** Where the configuration cannot be read, flannel's devices tell which families it had. */
async function familiesOf(context: CollectContext, interfaces: readonly InterfaceInfo[]): Promise<Families> {
  const observed = await context.observe(networkConfigFact);
  if (observed.status === 'known') {
    const { enableIPv4, enableIPv6 } = observed.value.config;
    return { wantsIpv4: enableIPv4, wantsIpv6: enableIPv6 };
  }
  const devices = interfaces.map(({ name }) => name).filter(isFlannelDevice);
  if (devices.length === 0) {
    if (observed.status === 'unknown') await context.get(networkConfigFact);
    throw new UnavailableError('unsupported', `not known which address families flannel uses: ${observed.detail}`);
  }
  const wantsIpv6 = devices.some((name) => name.startsWith('flannel-v6.'));
  return { wantsIpv4: devices.some((name) => name.startsWith('flannel.')), wantsIpv6 };
}

async function ownLeaseOf(context: CollectContext): Promise<Lease | null> {
  const observed = await context.observe(ownLeaseFact);
  return observed.status === 'absent' ? null : context.get(ownLeaseFact);
}

/** Without a lease this node still has its addresses, and pods in the subnet of subnet.env: somebody else's lease on it is no peer. */
async function subnetsInUse(context: CollectContext, { addresses }: ActualOverlay): Promise<readonly string[]> {
  const observed = await context.observe(subnetEnvFact);
  const file = observed.status === 'known' ? [observed.value.subnet, observed.value.ipv6Subnet] : [];
  const onDevices = addresses.map(({ address }) => address).filter((address) => !address.startsWith('fe80:'));
  return [...onDevices, ...file.filter((subnet) => subnet !== null)];
}
