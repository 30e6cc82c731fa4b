import { additionsOn, type EntriesLeft, entriesLeft, type LinkState, linkStates } from '../../dataplane/drift.ts';
import { carry } from '../../dataplane/drift-remedy.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding, type Remedy } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact, ownLeaseFact } from '../../facts/datastore.ts';
import { actualOverlayFact, overlayPlanFact } from '../../facts/overlay.ts';

interface Values {
  readonly device: string;
  readonly subnet: string;
  readonly left: EntriesLeft;
}

const needs = { plan: overlayPlanFact, actual: actualOverlayFact, lease: ownLeaseFact, leases: leasesFact };
const KINDS = ['address', 'neighbour', 'fdb', 'route'] as const;

export default defineCheck<typeof needs, Values>({
  id: 'flannel-link-missing',
  group: 'link',
  severity: 'error',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: "flannel's vxlan device exists",
      summary: (all) =>
        `${nameEn(all.map(({ device }) => device))} does not exist, although this node leases ${nameEn(all.map(({ subnet }) => subnet))}`,
      remedy: (all) =>
        `Make ${nameEn(all.map(({ device }) => device))} again with the MAC that the lease publishes, and all entries on it.`,
    },
    zh: {
      title: 'flannel 的 vxlan 设备存在',
      summary: (all) =>
        `${nameZh(all.map(({ device }) => device))} 不存在，而本节点租用着子网 ${nameZh(all.map(({ subnet }) => subnet))}`,
      remedy: (all) => `按租约公布的 MAC 重新创建 ${nameZh(all.map(({ device }) => device))}，并写回其上的全部表项。`,
    },
  },
  logs: [/Interface flannel(-v6)?\.\d+ deleted/, /vxlan device missing, attempting to recreate/],
  repair: 'ask',
  proof: 'drill',
  evaluate: (facts) =>
    linkStates(facts.plan, facts.actual)
      .filter(({ desired, actual }) => actual === undefined && facts.actual.strangers[desired.device] === undefined)
      .map((state) => findingOf(state, facts)),
});

function findingOf(state: LinkState, facts: FactsOf<typeof needs>): Finding<Values> {
  const { desired } = state;
  const { device } = desired;
  const subnet = facts.lease.subnet ?? facts.lease.ipv6Subnet ?? facts.lease.key;
  return {
    values: { device, subnet, left: entriesLeft(facts.plan, device, KINDS) },
    about: ['node'],
    evidence: [
      {
        what: device,
        observed: 'does not exist',
        expected: `vxlan device with VNI ${desired.vni}`,
        source: `ip -d link show ${device}`,
      },
      { what: 'lease of this node', observed: subnet, source: `${facts.leases.source}, key ${facts.lease.key}` },
    ],
    remedy: remedyOf(state, facts),
  };
}

/** A MAC that the lease does not publish is of no use to any peer: without one, the lease has to be written anew. */
function remedyOf({ desired, operation }: LinkState, { plan }: FactsOf<typeof needs>): Remedy {
  if (desired.mac === null) return { commands: ['flannelctl up --once'], actions: [], automatic: 'no', risk: RISK };
  return carry([operation, ...additionsOn(plan, desired.device, KINDS)], { automatic: 'ask', risk: RISK });
}

const RISK = {
  en: 'a running flanneld of v0.27.4 or later may make the device at the same moment, with another MAC',
  zh: '正在运行的 flanneld（v0.27.4 及以后）可能同时以另一个 MAC 创建该设备',
};
