import { changeLink, changesOf, type EntriesLeft, entriesLeft, linkStates } from '../../dataplane/drift.ts';
import { carry } from '../../dataplane/drift-remedy.ts';
import type { LinkEntry, Operation } from '../../dataplane/entry.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact, ownLeaseFact } from '../../facts/datastore.ts';
import { actualOverlayFact, overlayPlanFact } from '../../facts/overlay.ts';

interface Values {
  readonly device: string;
  readonly mac: string | null;
  readonly publishedMac: string;
  readonly left: EntriesLeft;
}

const needs = { plan: overlayPlanFact, actual: actualOverlayFact, lease: ownLeaseFact, leases: leasesFact };

export default defineCheck<typeof needs, Values>({
  id: 'vtep-mac-mismatch',
  group: 'link',
  severity: 'error',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: "flannel's vxlan device has the MAC that this node's lease publishes",
      summary: (all) =>
        nameEn(
          all.map(({ device, mac, publishedMac }) => `${device} has MAC ${mac}, not ${publishedMac} as published`),
        ),
      remedy: (all) =>
        `Give ${nameEn(all.map(({ device }) => device))} the published MAC, then write the neighbour entries again.`,
    },
    zh: {
      title: 'flannel 的 vxlan 设备使用本节点租约公布的 MAC',
      summary: (all) =>
        nameZh(
          all.map(({ device, mac, publishedMac }) => `${device} 的 MAC 是 ${mac}，而租约公布的是 ${publishedMac}`),
        ),
      remedy: (all) => `将 ${nameZh(all.map(({ device }) => device))} 的 MAC 改回公布的值，然后重写邻居表项。`,
    },
  },
  logs: [/mac address wanted: ([0-9a-f:]{17}), but got: /],
  repair: 'ask',
  proof: 'drill',
  evaluate: (facts) =>
    linkStates(facts.plan, facts.actual).flatMap(({ desired: { mac }, actual }) =>
      actual === undefined || mac === null || actual.mac === mac ? [] : [findingOf(actual, mac, facts)],
    ),
});

function findingOf(
  link: LinkEntry,
  published: string,
  { plan, lease, leases }: FactsOf<typeof needs>,
): Finding<Values> {
  const { device, mac } = link;
  const left = entriesLeft(plan, device, ['neighbour']);
  const neighbours = changesOf(plan, 'neighbour').filter(({ entry }) => entry.device === device);
  const rewritten = neighbours.flatMap(({ verb, entry, operation }): Operation[] =>
    verb === 'delete' ? [] : [{ verb: 'add', entry, subject: operation.subject }],
  );
  return {
    values: { device, mac, publishedMac: published, left },
    about: ['node'],
    evidence: [
      { what: `MAC of ${device}`, observed: mac, expected: published, source: `ip link show ${device}` },
      { what: 'VTEP MAC in the lease', observed: published, source: `${leases.source}, key ${lease.key}` },
      {
        what: `neighbour entries in order on ${device}`,
        observed: left.neighbour ?? 0,
        source: `ip neigh show dev ${device}`,
      },
    ],
    remedy: carry([changeLink(link, { mac: published }), ...rewritten], { automatic: 'ask', risk: RISK }),
  };
}

const RISK = {
  en: 'the kernel flushes all neighbour entries at the change; until they are written again no peer is reached',
  zh: '修改 MAC 时内核会清空所有邻居表项；在重写之前无法到达任何对端节点',
};
