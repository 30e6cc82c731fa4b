import type { ActualOverlay, OverlayPlan } from '../dataplane/entry.ts';
import { nameEn } from '../dataplane/naming.ts';
import type { Observed } from '../facts/fact.ts';
import type { Evidence } from './check.ts';

export interface OwnSide {
  readonly plan: Observed<OverlayPlan>;
  readonly actual: Observed<ActualOverlay>;
  readonly lease: Observed<{
    readonly attributes: { readonly vtep: { readonly vni: number; readonly mac: string } | null };
  }>;
}

/** How things stand on this side for one peer: its entries, and what our lease publishes. Nothing of what could not be read. */
export function ruledOut(subnet: string, { plan, actual, lease }: OwnSide): readonly Evidence[] {
  const entries = plan.status === 'known' ? [entriesEvidence(subnet, plan.value)] : [];
  const vtep = lease.status === 'known' ? lease.value.attributes.vtep : null;
  const links = actual.status === 'known' ? actual.value.links : [];
  const link = links.find(({ vni }) => vni === vtep?.vni);
  if (vtep === null || link === undefined) return entries;
  const own: Evidence = {
    what: `MAC and VNI of ${link.device}`,
    observed: `${link.mac} ${link.vni}`,
    expected: `${vtep.mac} ${vtep.vni}`,
    source: `ip -d link show ${link.device}`,
  };
  return [...entries, own];
}

function entriesEvidence(subnet: string, { operations }: OverlayPlan): Evidence {
  const own = operations.filter(({ subject }) => subject !== 'node' && subject.subnet === subnet);
  const wrong = own.filter(({ verb }) => verb !== 'keep').map(({ verb, entry }) => `${verb} ${entry.kind}`);
  const observed = wrong.length === 0 ? `${own.length} in order` : nameEn(wrong);
  return {
    what: 'neighbour, FDB and route entries here',
    observed,
    expected: 'in order',
    source: 'flannelctl up --dry-run',
  };
}
