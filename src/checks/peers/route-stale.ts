import { type Change, changesOf, ignoredPeers } from '../../dataplane/drift.ts';
import { carry, describeRoute } from '../../dataplane/drift-remedy.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact } from '../../facts/datastore.ts';
import { desiredOverlayFact, overlayPlanFact } from '../../facts/overlay.ts';

interface Values {
  readonly dst: string;
  readonly route: string;
}

const needs = { plan: overlayPlanFact, desired: desiredOverlayFact, leases: leasesFact };

export default defineCheck<typeof needs, Values>({
  id: 'route-stale',
  group: 'peers',
  severity: 'warning',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'no route of the overlay leads to a subnet that nobody leases',
      summary: (all) =>
        `${all.length === 1 ? '1 route leads' : `${all.length} routes lead`} to a subnet that nobody leases: ${nameEn(all.map(({ dst }) => dst))}`,
      remedy: (all) => `Delete the route to ${nameEn(all.map(({ dst }) => dst))}.`,
    },
    zh: {
      title: '覆盖网络的路由都指向有租约的子网',
      summary: (all) => `${all.length} 条路由指向无人租用的子网：${nameZh(all.map(({ dst }) => dst))}`,
      remedy: (all) => `删除到 ${nameZh(all.map(({ dst }) => dst))} 的路由。`,
    },
  },
  logs: [/Removed subnet \(.*\) and ipv6 subnet \(.*\) were not found/],
  repair: 'ask',
  proof: 'drill',
  evaluate: ({ plan, desired, leases }) => {
    const { subnets } = ignoredPeers(desired, leases.records);
    return changesOf(plan, 'route')
      .filter(({ verb, entry }) => verb === 'delete' && !subnets.has(entry.dst))
      .map((change) => findingOf(change, leases.source));
  },
});

function findingOf({ entry, operation }: Change<'route'>, source: string): Finding<Values> {
  const { dst } = entry;
  return {
    values: { dst, route: describeRoute(entry) },
    about: [`subnet:${dst}`],
    evidence: [
      { what: `route to ${dst}`, observed: describeRoute(entry), expected: 'none', source: `ip route show ${dst}` },
      { what: `lease of ${dst}`, observed: 'none', source },
    ],
    remedy: carry([operation], { automatic: 'ask', risk: RISK }),
  };
}

const RISK = {
  en: 'if the node of that subnet lives and only its lease is gone, its pods are no longer reached from here',
  zh: '如果该子网的节点仍在运行、只是租约丢失，则从本节点将无法再访问其 Pod',
};
