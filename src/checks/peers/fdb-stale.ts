import { aboutOf, type Change, changesOf, ignoredPeers } from '../../dataplane/drift.ts';
import { carry, NO_RISK } from '../../dataplane/drift-remedy.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact } from '../../facts/datastore.ts';
import { desiredOverlayFact, overlayPlanFact } from '../../facts/overlay.ts';

interface Values {
  /** `wrong`: leads to another node; `fleeting`: right, but not permanent; `nobody`: the MAC is no peer's. */
  readonly problem: 'wrong' | 'fleeting' | 'nobody';
  readonly device: string;
  /** Of the peer; `null`: nobody's. */
  readonly subnet: string | null;
  readonly mac: string;
  readonly dst: string;
  readonly expectedDst: string | null;
}

const needs = { plan: overlayPlanFact, desired: desiredOverlayFact, leases: leasesFact };

export default defineCheck<typeof needs, Values>({
  id: 'fdb-stale',
  group: 'peers',
  severity: 'error',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: { title: "every forwarding entry leads to its peer's public IP", summary: summaryEn, remedy: remedyEn },
    zh: { title: '每条 FDB 转发表项都指向对应对端节点的公网地址（PublicIP）', summary: summaryZh, remedy: remedyZh },
  },
  repair: 'yes',
  proof: 'drill',
  evaluate: ({ plan, desired, leases }) => {
    const { publicIps } = ignoredPeers(desired, leases.records);
    return changesOf(plan, 'fdb')
      .filter(({ verb, entry }) => verb === 'replace' || (verb === 'delete' && !publicIps.has(entry.dst)))
      .map(findingOf);
  },
});

function findingOf(change: Change<'fdb'>): Finding<Values> {
  const { verb, entry, before, operation } = change;
  const { device, mac } = entry;
  const there = before ?? entry;
  const isNobodys = verb === 'delete';
  return {
    values: {
      problem: problemOf(change),
      device,
      subnet: operation.subject === 'node' ? null : operation.subject.subnet,
      mac,
      dst: there.dst,
      expectedDst: isNobodys ? null : entry.dst,
    },
    about: aboutOf(operation),
    evidence: [
      {
        what: `forwarding entry of ${mac}`,
        observed: `dst ${there.dst}${there.isPermanent ? ' permanent' : ', not permanent'}`,
        expected: isNobodys ? 'none' : `dst ${entry.dst} permanent`,
        source: `bridge fdb show dev ${device}`,
      },
    ],
    remedy: isNobodys
      ? carry([operation], { automatic: 'ask', risk: NOBODY_RISK })
      : carry([operation], { automatic: 'yes', risk: NO_RISK }),
  };
}

function problemOf({ verb, entry, before }: Change<'fdb'>): Values['problem'] {
  if (verb === 'delete') return 'nobody';
  return before?.dst === entry.dst ? 'fleeting' : 'wrong';
}

function summaryEn(all: NonEmpty<Values>): string {
  const nobodys = of(all, 'nobody').map(({ mac, dst }) => `${mac} to ${dst}`);
  return [
    ...of(all, 'wrong').map(
      ({ device, subnet, dst, expectedDst }) => `${device} sends packets for ${subnet} to ${dst}, not ${expectedDst}`,
    ),
    ...of(all, 'fleeting').map(
      ({ device, subnet }) => `the forwarding entry of ${subnet} on ${device} is not permanent`,
    ),
    ...(nobodys.length > 0 ? [`${entries(nobodys.length)} of nobody: ${nameEn(nobodys)}`] : []),
  ].join('; ');
}

function summaryZh(all: NonEmpty<Values>): string {
  const nobodys = of(all, 'nobody').map(({ mac, dst }) => `${mac} → ${dst}`);
  return [
    ...of(all, 'wrong').map(
      ({ device, subnet, dst, expectedDst }) => `${device} 把发往 ${subnet} 的报文送到 ${dst}，应为 ${expectedDst}`,
    ),
    ...of(all, 'fleeting').map(({ device, subnet }) => `${device} 上 ${subnet} 的 FDB 转发表项不是永久的`),
    ...(nobodys.length > 0 ? [`${nobodys.length} 条 FDB 转发表项不属于任何对端节点：${nameZh(nobodys)}`] : []),
  ].join('；');
}

function entries(count: number): string {
  return count === 1 ? '1 forwarding entry' : `${count} forwarding entries`;
}

function remedyEn(all: NonEmpty<Values>): string {
  return all.every(({ problem }) => problem === 'nobody')
    ? 'Delete the forwarding entries that serve no peer.'
    : 'Write the forwarding entries as the leases say.';
}

function remedyZh(all: NonEmpty<Values>): string {
  return all.every(({ problem }) => problem === 'nobody')
    ? '删除不属于任何对端节点的 FDB 转发表项。'
    : '按租约重写 FDB 转发表项。';
}

function of(all: readonly Values[], problem: Values['problem']): readonly Values[] {
  return all.filter((values) => values.problem === problem);
}

const NOBODY_RISK = {
  en: 'if a node with that MAC lives and only its lease is gone, it is no longer reached from here',
  zh: '如果使用该 MAC 的节点仍在运行、只是租约丢失，则从本节点将无法再到达它',
};
