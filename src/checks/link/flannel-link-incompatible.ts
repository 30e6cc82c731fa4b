import { DEFAULT_PORT } from '../../dataplane/device.ts';
import {
  additionsOn,
  changeLink,
  type EntriesLeft,
  entriesLeft,
  type LinkState,
  linkStates,
} from '../../dataplane/drift.ts';
import { carry } from '../../dataplane/drift-remedy.ts';
import type { Operation, OverlayPlan } from '../../dataplane/entry.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import {
  defineCheck,
  type Evidence,
  type FactsOf,
  type Finding,
  type NonEmpty,
  type Remedy,
} from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { ownLeaseFact } from '../../facts/datastore.ts';
import { actualOverlayFact, overlayPlanFact } from '../../facts/overlay.ts';

interface Difference {
  readonly what: string;
  readonly observed: string | number | boolean | null;
  readonly expected: string | number | boolean | null;
}

interface Values {
  readonly device: string;
  readonly differences: readonly Difference[];
  readonly left: EntriesLeft;
}

const needs = { plan: overlayPlanFact, actual: actualOverlayFact, lease: ownLeaseFact };
const KINDS = ['address', 'neighbour', 'fdb', 'route'] as const;

export default defineCheck<typeof needs, Values>({
  id: 'flannel-link-incompatible',
  group: 'link',
  severity: 'error',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: "flannel's vxlan device is made as the configuration says",
      summary: (all) =>
        nameEn(
          all.flatMap(({ device, differences }) =>
            differences.map(({ what, observed, expected }) => `${device} has ${what} ${observed}, not ${expected}`),
          ),
        ),
      remedy: (all) => `Make ${nameEn(all.map(({ device }) => device))} again as configured, with all entries on it.`,
    },
    zh: {
      title: 'flannel 的 vxlan 设备与配置一致',
      summary: (all) =>
        nameZh(
          all.flatMap(({ device, differences }) =>
            differences.map(({ what, observed, expected }) => `${device} 的 ${what} 是 ${observed}，应为 ${expected}`),
          ),
        ),
      remedy: (all) => `按配置重新创建 ${nameZh(all.map(({ device }) => device))}，并写回其上的全部表项。`,
    },
  },
  logs: [
    /already exists with incompatible configuration: .*; recreating device/,
    /created vxlan device with index .* is not vxlan/,
    /failed to delete interface/,
  ],
  repair: 'ask',
  proof: 'drill',
  evaluate: (facts) =>
    linkStates(facts.plan, facts.actual).flatMap((state) => {
      const [first, ...rest] = differencesOf(state, facts);
      return first === undefined ? [] : [findingOf(state, [first, ...rest], facts)];
    }),
});

/** What flannel compares when it decides whether to keep a device, and learning, which it does not (flannel pkg/backend/vxlan). */
function differencesOf({ desired, actual: link }: LinkState, { actual }: FactsOf<typeof needs>): readonly Difference[] {
  const kind = actual.strangers[desired.device];
  if (link === undefined) return kind === undefined ? [] : [{ what: 'kind', observed: kind, expected: 'vxlan' }];
  const all: readonly Difference[] = [
    { what: 'VNI', observed: link.vni, expected: desired.vni },
    { what: 'dstport', observed: link.port, expected: desired.port ?? DEFAULT_PORT },
    { what: 'local', observed: link.local, expected: openOr(desired.local, link.local) },
    { what: 'dev', observed: link.underlay, expected: openOr(desired.underlay, link.underlay) },
    { what: 'gbp', observed: link.gbp, expected: desired.gbp },
    { what: 'learning', observed: link.learning, expected: desired.learning },
  ];
  return all.filter(({ observed, expected }) => observed !== expected);
}

/** A value that either side leaves open does not count. */
function openOr(desired: string | null, observed: string | null): string | null {
  return observed === null || desired === null ? observed : desired;
}

function findingOf(
  state: LinkState,
  differences: NonEmpty<Difference>,
  { plan }: FactsOf<typeof needs>,
): Finding<Values> {
  const { device } = state.desired;
  const [first, ...rest] = differences;
  const evidenceOf = ({ what, observed, expected }: Difference): Evidence => ({
    what: `${what} of ${device}`,
    observed,
    expected,
    source: `ip -d link show ${device}`,
  });
  return {
    values: { device, differences, left: entriesLeft(plan, device, KINDS) },
    about: ['node'],
    evidence: [evidenceOf(first), ...rest.map(evidenceOf)],
    remedy: remedyOf(state, plan),
  };
}

/** Port, VNI and GBP cannot be changed on a living device (measured, 6.18); learning can. A device of another kind is not ours to delete. */
function remedyOf({ desired, actual: link, operation }: LinkState, plan: OverlayPlan): Remedy {
  const { device } = desired;
  if (link === undefined)
    return {
      commands: [`ip link delete dev ${device}`, 'flannelctl up --once'],
      actions: [],
      automatic: 'no',
      risk: RISK,
    };
  if (operation.recreate !== true)
    return carry([changeLink(link, { learning: desired.learning })], { automatic: 'ask', risk: RISK });
  const anew: Operation = { ...operation, entry: { ...desired, mac: desired.mac ?? link.mac } };
  return carry([anew, ...additionsOn(plan, device, KINDS)], { automatic: 'ask', risk: RISK });
}

const RISK = {
  en: 'the device is deleted and made again: the overlay of this node stands still for a moment',
  zh: '设备会被删除后重建：本节点的覆盖网络会短暂中断',
};
