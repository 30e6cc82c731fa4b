import type { ActualOverlay, DesiredOverlay, OverlayPlan } from '../dataplane/entry.ts';
import { defineFact } from './fact.ts';

/** The interface that carries the tunnel, chosen in flannel's order (contract of `--iface` and friends). */
export interface Underlay {
  readonly device: string;
  readonly mtuBytes: number;
  /** Address of the interface; `null` on a single-family host. */
  readonly ipv4: string | null;
  readonly ipv6: string | null;
  /** Advertised address: `--public-ip` if given, else the interface's. */
  readonly publicIp: string | null;
  readonly publicIpv6: string | null;
  /** Why this one: `--iface=eth0`. */
  readonly because: string;
}

/** `unknown` when none can be chosen: the detail says what flannel would log. */
export const underlayFact = defineFact<Underlay>({
  name: 'underlay',
  cost: 'passive',
  timeoutMs: 10_000,
  collect: async () => {
    throw new Error('unwritten');
  },
});

/** What the kernel should hold according to configuration and leases; absent for backends without vxlan. Also where this node has no lease: then peers only. */
export const desiredOverlayFact = defineFact<DesiredOverlay>({
  name: 'desired-overlay',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'another backend than vxlan' },
  collect: async () => {
    throw new Error('unwritten');
  },
});

/** What the kernel holds. */
export const actualOverlayFact = defineFact<ActualOverlay>({
  name: 'actual-overlay',
  cost: 'passive',
  timeoutMs: 10_000,
  collect: async () => {
    throw new Error('unwritten');
  },
});

/** The difference: what link, address, neighbour, fdb and route checks explain and what their remedies carry. */
export const overlayPlanFact = defineFact<OverlayPlan>({
  name: 'overlay-plan',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'another backend than vxlan' },
  collect: async () => {
    throw new Error('unwritten');
  },
});
