import { aboutOf, allGone, type Change, changesOf } from '../../dataplane/drift.ts';
import { carry, NO_RISK } from '../../dataplane/drift-remedy.ts';
import { countOf, nameEn, nameZh, peersHave } from '../../dataplane/naming.ts';
import { defineCheck, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { overlayPlanFact } from '../../facts/overlay.ts';

interface Values {
  readonly device: string;
  readonly subnet: string;
  readonly ip: string;
  readonly mac: string | null;
}

const needs = { plan: overlayPlanFact };

export default defineCheck<typeof needs, Values>({
  id: 'arp-missing',
  group: 'peers',
  severity: 'error',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'flannel-link-missing',
      because: allGone('neighbour', (device) => ({
        en: `${device} does not exist, and its neighbour entries went with it`,
        zh: `${device} 不存在，其上的邻居表项也随之消失`,
      })),
    },
    {
      id: 'flannel-link-incompatible',
      because: allGone('neighbour', (device) => ({
        en: `${device} was made anew by somebody else, without neighbour entries`,
        zh: `${device} 被别的程序重新创建，上面没有邻居表项`,
      })),
    },
    {
      id: 'flannel-link-down',
      because: allGone('neighbour', (device) => ({
        en: `${device} is down, and the kernel flushed its neighbour entries`,
        zh: `${device} 处于 DOWN 状态，内核清空了其邻居表项`,
      })),
    },
    {
      id: 'flannel-link-no-address',
      because: allGone('neighbour', (device) => ({
        en: `${device} lost its address, and the kernel flushed its neighbour entries`,
        zh: `${device} 失去了地址，内核清空了其邻居表项`,
      })),
    },
    {
      id: 'vtep-mac-mismatch',
      because: allGone('neighbour', (device) => ({
        en: `the MAC of ${device} was changed, and the kernel flushed its neighbour entries`,
        zh: `${device} 的 MAC 被修改，内核清空了其邻居表项`,
      })),
    },
    {
      id: 'mtu-mismatch',
      because: allGone('neighbour', (device) => ({
        en: `the mtu of ${device} is below 1280, where the kernel flushes IPv6 neighbours`,
        zh: `${device} 的 MTU 低于 1280，内核清空了其 IPv6 邻居表项`,
      })),
    },
  ],
  say: {
    en: {
      title: 'every peer has a neighbour entry',
      summary: (all) =>
        `${peersHave(subnets(all))} no neighbour entry on ${nameEn(devices(all))}: ${nameEn(subnets(all))}`,
      remedy: (all) => `Add the neighbour entry of ${nameEn(subnets(all))}.`,
    },
    zh: {
      title: '每个对端节点都有邻居表项',
      summary: (all) =>
        `${countOf(subnets(all))} 个对端节点在 ${nameZh(devices(all))} 上没有邻居表项：${nameZh(subnets(all))}`,
      remedy: (all) => `为 ${nameZh(subnets(all))} 添加邻居表项。`,
    },
  },
  logs: [/AddARP failed: /],
  repair: 'yes',
  proof: 'drill',
  evaluate: ({ plan }) => changesOf(plan, 'neighbour').filter(isMissing).map(findingOf),
});

/** An entry without a MAC is what the kernel leaves behind when it asked for one in vain. */
function isMissing({ verb, before }: Change<'neighbour'>): boolean {
  return verb === 'add' || (verb === 'replace' && before?.mac === null);
}

function findingOf({ entry, before, operation }: Change<'neighbour'>): Finding<Values> {
  const { device, ip, mac } = entry;
  const { subject } = operation;
  return {
    values: { device, subnet: subject === 'node' ? ip : subject.subnet, ip, mac },
    about: aboutOf(operation),
    evidence: [
      {
        what: `neighbour entry of ${ip}`,
        observed: before === undefined ? 'none' : 'asked for in vain (INCOMPLETE or FAILED)',
        expected: `${ip} lladdr ${mac} PERMANENT`,
        source: `ip neigh show dev ${device}`,
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
