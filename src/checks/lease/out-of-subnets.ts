import { defineCheck, type FactsOf, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact, networkConfigFact } from '../../facts/datastore.ts';
import { flannelFact } from '../../facts/flannel.ts';
import { overdueLeasesFact } from '../../facts/lease-renewals.ts';
import { type SubnetUsage, subnetUsage } from '../../leases/subnet-usage.ts';

interface Values {
  readonly family: 4 | 6;
  readonly min: string;
  readonly max: string;
  readonly length: number;
  readonly total: string;
  readonly overdue: number;
}

const needs = {
  config: networkConfigFact,
  leases: leasesFact,
  flannel: flannelFact,
  overdue: { optional: overdueLeasesFact },
};

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'out-of-subnets',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'there are subnets left for new nodes',
      summary: (all) =>
        all
          .map(({ min, max, length, total }) => `none of the ${total} /${length} subnets from ${min} to ${max} is left`)
          .join('; '),
      remedy: (all) =>
        all.some(({ overdue }) => overdue > 0)
          ? 'Prune the leases of hosts that are gone, or enlarge the network.'
          : 'Enlarge SubnetMin to SubnetMax, or the network.',
    },
    zh: {
      title: '还有子网可供新节点使用',
      summary: (all) =>
        all
          .map(({ min, max, length, total }) => `从 ${min} 到 ${max} 的 ${total} 个 /${length} 子网已全部用完`)
          .join('；'),
      remedy: (all) =>
        all.some(({ overdue }) => overdue > 0)
          ? '清理已消失主机的租约，或扩大网络。'
          : '扩大 SubnetMin 到 SubnetMax 的范围，或扩大网络。',
    },
  },
  logs: [/out of subnets/],
  proof: 'drill',
  evaluate: (facts) => {
    // With Kubernetes the controller manager gives out podCIDRs.
    if (facts.flannel.subnetManager === 'kube') return [];
    return subnetUsage(facts.config.config, facts.leases.records)
      .filter(({ free }) => free === 0n)
      .map((usage) => findingOf(usage, facts));
  },
});

function findingOf({ family, min, max, length, total }: SubnetUsage, facts: Facts): Finding<Values> {
  const overdue = facts.overdue.status === 'known' ? facts.overdue.value : [];
  return {
    values: { family, min, max, length, total: String(total), overdue: overdue.length },
    about: ['node'],
    evidence: [
      {
        what: `free /${length} subnets from ${min} to ${max}`,
        observed: 0,
        expected: `some of ${total}`,
        source: facts.leases.source,
      },
      {
        what: 'leases that were not renewed in time',
        observed:
          overdue
            .map(({ subnet }) => subnet)
            .slice(0, SHOWN)
            .join(', ') || 'none',
        source: 'flannelctl leases list --state overdue',
      },
      { what: 'network', observed: networkOf(family, facts), source: facts.config.source },
    ],
    remedy: {
      commands: ['flannelctl leases prune --dry-run', 'flannelctl config get'],
      actions: [],
      automatic: 'no',
      risk: { en: 'none; both commands only look', zh: '无；两条命令都只查看' },
    },
  };
}

const SHOWN = 5;

function networkOf(family: 4 | 6, { config: { config } }: Facts): string | null {
  return family === 4 ? config.network : config.ipv6Network;
}
