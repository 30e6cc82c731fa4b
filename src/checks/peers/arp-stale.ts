import { aboutOf, type Change, changesOf, ignoredPeers } from '../../dataplane/drift.ts';
import { carry, NO_RISK } from '../../dataplane/drift-remedy.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact } from '../../facts/datastore.ts';
import { desiredOverlayFact, overlayPlanFact } from '../../facts/overlay.ts';

interface Values {
  /** `wrong`: another MAC than published; `fleeting`: right, but not permanent; `nobody`: the address is no peer's. */
  readonly problem: 'wrong' | 'fleeting' | 'nobody';
  readonly device: string;
  /** Of the peer; `null`: nobody's. */
  readonly subnet: string | null;
  readonly ip: string;
  readonly mac: string | null;
  readonly expectedMac: string | null;
}

const needs = { plan: overlayPlanFact, desired: desiredOverlayFact, leases: leasesFact };

export default defineCheck<typeof needs, Values>({
  id: 'arp-stale',
  group: 'peers',
  severity: 'error',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: { title: 'every neighbour entry holds the MAC that its peer publishes', summary: summaryEn, remedy: remedyEn },
    zh: { title: '每条邻居表项都是对端节点公布的 MAC', summary: summaryZh, remedy: remedyZh },
  },
  repair: 'yes',
  proof: 'drill',
  evaluate: ({ plan, desired, leases }) => {
    const { overlayIps } = ignoredPeers(desired, leases.records);
    return changesOf(plan, 'neighbour')
      .filter((change) => isWrong(change) || (change.verb === 'delete' && !overlayIps.has(change.entry.ip)))
      .map(findingOf);
  },
});

/** Without a MAC the kernel asked in vain: that is a missing entry. */
function isWrong({ verb, before }: Change<'neighbour'>): boolean {
  return verb === 'replace' && before?.mac !== null;
}

function findingOf(change: Change<'neighbour'>): Finding<Values> {
  const { verb, entry, before, operation } = change;
  const { device, ip } = entry;
  const there = before ?? entry;
  const isNobodys = verb === 'delete';
  return {
    values: {
      problem: problemOf(change),
      device,
      subnet: operation.subject === 'node' ? null : operation.subject.subnet,
      ip,
      mac: there.mac,
      expectedMac: isNobodys ? null : entry.mac,
    },
    about: aboutOf(operation),
    evidence: [
      {
        what: `neighbour entry of ${ip}`,
        observed: `lladdr ${there.mac}${there.isPermanent ? ' PERMANENT' : ', not PERMANENT'}`,
        expected: isNobodys ? 'none' : `lladdr ${entry.mac} PERMANENT`,
        source: `ip neigh show dev ${device}`,
      },
    ],
    remedy: isNobodys
      ? carry([operation], { automatic: 'ask', risk: NOBODY_RISK })
      : carry([operation], { automatic: 'yes', risk: NO_RISK }),
  };
}

function problemOf({ verb, entry, before }: Change<'neighbour'>): Values['problem'] {
  if (verb === 'delete') return 'nobody';
  return before?.mac === entry.mac ? 'fleeting' : 'wrong';
}

function summaryEn(all: NonEmpty<Values>): string {
  const nobodys = of(all, 'nobody').map(({ ip, mac }) => `${ip} lladdr ${mac}`);
  return [
    ...of(all, 'wrong').map(
      ({ device, subnet, mac, expectedMac }) => `${device} has MAC ${mac} for ${subnet}, not ${expectedMac}`,
    ),
    ...of(all, 'fleeting').map(
      ({ device, subnet }) => `the neighbour entry of ${subnet} on ${device} is not permanent`,
    ),
    ...(nobodys.length > 0 ? [`${entries(nobodys.length)} of nobody: ${nameEn(nobodys)}`] : []),
  ].join('; ');
}

function summaryZh(all: NonEmpty<Values>): string {
  const nobodys = of(all, 'nobody').map(({ ip, mac }) => `${ip} lladdr ${mac}`);
  return [
    ...of(all, 'wrong').map(
      ({ device, subnet, mac, expectedMac }) => `${device} 上 ${subnet} 的 MAC 是 ${mac}，应为 ${expectedMac}`,
    ),
    ...of(all, 'fleeting').map(({ device, subnet }) => `${device} 上 ${subnet} 的邻居表项不是永久的`),
    ...(nobodys.length > 0 ? [`${nobodys.length} 条邻居表项不属于任何对端节点：${nameZh(nobodys)}`] : []),
  ].join('；');
}

function entries(count: number): string {
  return count === 1 ? '1 neighbour entry' : `${count} neighbour entries`;
}

function remedyEn(all: NonEmpty<Values>): string {
  return all.every(({ problem }) => problem === 'nobody')
    ? 'Delete the neighbour entries that serve no peer.'
    : 'Write the neighbour entries as the leases say.';
}

function remedyZh(all: NonEmpty<Values>): string {
  return all.every(({ problem }) => problem === 'nobody')
    ? '删除不属于任何对端节点的邻居表项。'
    : '按租约重写邻居表项。';
}

function of(all: readonly Values[], problem: Values['problem']): readonly Values[] {
  return all.filter((values) => values.problem === problem);
}

const NOBODY_RISK = {
  en: 'if a node with that subnet lives and only its lease is gone, it is no longer reached from here',
  zh: '如果该子网的节点仍在运行、只是租约丢失，则从本节点将无法再到达它',
};
