import {
  additionsOn,
  changeLink,
  type EntriesLeft,
  type EntryKind,
  entriesLeft,
  isIpv6Link,
  linkStates,
} from '../../dataplane/drift.ts';
import { carry } from '../../dataplane/drift-remedy.ts';
import type { LinkEntry } from '../../dataplane/entry.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { ownLeaseFact } from '../../facts/datastore.ts';
import { actualOverlayFact, overlayPlanFact } from '../../facts/overlay.ts';

interface Values {
  readonly device: string;
  readonly left: EntriesLeft;
}

const needs = { plan: overlayPlanFact, actual: actualOverlayFact, lease: ownLeaseFact };

export default defineCheck<typeof needs, Values>({
  id: 'flannel-link-down',
  group: 'link',
  severity: 'error',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: "flannel's vxlan device is up",
      summary: (all) => `${nameEn(all.map(({ device }) => device))} is down`,
      remedy: (all) =>
        `Set ${nameEn(all.map(({ device }) => device))} up and put back the routes and neighbour entries that the kernel flushed.`,
    },
    zh: {
      title: 'flannel 的 vxlan 设备已启用（UP）',
      summary: (all) => `${nameZh(all.map(({ device }) => device))} 处于 DOWN 状态`,
      remedy: (all) => `启用 ${nameZh(all.map(({ device }) => device))}，并写回被内核清空的路由和邻居表项。`,
    },
  },
  repair: 'ask',
  proof: 'drill',
  evaluate: (facts) =>
    linkStates(facts.plan, facts.actual).flatMap(({ actual }) =>
      actual === undefined || actual.isUp ? [] : [findingOf(actual, facts)],
    ),
});

function findingOf(link: LinkEntry, { plan }: FactsOf<typeof needs>): Finding<Values> {
  const { device } = link;
  const left = entriesLeft(plan, device, flushedBy(link));
  const lost = flushedBy(link).filter((kind) => left[kind] === 0);
  return {
    values: { device, left },
    about: ['node'],
    evidence: [
      { what: `flags of ${device}`, observed: 'without UP', expected: 'UP', source: `ip link show ${device}` },
      { what: `routes on ${device}`, observed: left.route ?? 0, source: `ip route show dev ${device}` },
    ],
    remedy: carry([changeLink(link, { isUp: true }), ...additionsOn(plan, device, lost)], {
      automatic: 'ask',
      risk: RISK,
    }),
  };
}

/** Setting a link down makes the kernel flush its routes, neighbours and IPv6 addresses; IPv4 addresses and FDB stay (measured, 6.18). */
function flushedBy(link: LinkEntry): readonly EntryKind[] {
  return isIpv6Link(link) ? ['address', 'neighbour', 'route'] : ['neighbour', 'route'];
}

const RISK = {
  en: 'somebody may have set the device down on purpose: pod traffic flows again at once',
  zh: '设备可能是有人特意停用的：启用后 Pod 流量会立即恢复',
};
