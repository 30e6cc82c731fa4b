import { aboutOf, allGone, type Change, changesOf } from '../../dataplane/drift.ts';
import { carry, NO_RISK } from '../../dataplane/drift-remedy.ts';
import { countOf, nameEn, nameZh, peersHave } from '../../dataplane/naming.ts';
import { defineCheck, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { overlayPlanFact } from '../../facts/overlay.ts';

interface Values {
  readonly device: string;
  readonly subnet: string;
  readonly mac: string;
  readonly publicIp: string;
}

const needs = { plan: overlayPlanFact };

export default defineCheck<typeof needs, Values>({
  id: 'fdb-missing',
  group: 'peers',
  severity: 'error',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'flannel-link-missing',
      because: allGone('fdb', (device) => ({
        en: `${device} does not exist, and its forwarding entries went with it`,
        zh: `${device} 不存在，其上的 FDB 转发表项也随之消失`,
      })),
    },
    {
      id: 'flannel-link-incompatible',
      because: allGone('fdb', (device) => ({
        en: `${device} was made anew by somebody else, without forwarding entries`,
        zh: `${device} 被别的程序重新创建，上面没有 FDB 转发表项`,
      })),
    },
  ],
  say: {
    en: {
      title: 'every peer has a forwarding entry',
      summary: (all) =>
        `${peersHave(subnets(all))} no forwarding entry on ${nameEn(devices(all))}: ${nameEn(subnets(all))}`,
      remedy: (all) => `Add the forwarding entry of ${nameEn(subnets(all))}.`,
    },
    zh: {
      title: '每个对端节点都有 FDB 转发表项',
      summary: (all) =>
        `${countOf(subnets(all))} 个对端节点在 ${nameZh(devices(all))} 上没有 FDB 转发表项：${nameZh(subnets(all))}`,
      remedy: (all) => `为 ${nameZh(subnets(all))} 添加 FDB 转发表项。`,
    },
  },
  logs: [/AddFDB failed: /],
  repair: 'yes',
  proof: 'drill',
  evaluate: ({ plan }) =>
    changesOf(plan, 'fdb')
      .filter(({ verb }) => verb === 'add')
      .map(findingOf),
});

function findingOf({ entry, operation }: Change<'fdb'>): Finding<Values> {
  const { device, mac, dst } = entry;
  const { subject } = operation;
  return {
    values: { device, subnet: subject === 'node' ? mac : subject.subnet, mac, publicIp: dst },
    about: aboutOf(operation),
    evidence: [
      {
        what: `forwarding entry of ${mac}`,
        observed: 'none',
        expected: `${mac} dst ${dst} permanent`,
        source: `bridge fdb show dev ${device}`,
      },
    ],
    remedy: carry([operation], { automatic: 'yes', risk: NO_RISK }),
  };
}

function subnets(all: NonEmpty<Values>): readonly string[] {
  return all.map(({ subnet }) => subnet);
}

function devices(all: NonEmpty<Values>): readonly string[] {
  return all.map(({ device }) => device);
}
