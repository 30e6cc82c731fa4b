import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact, networkConfigFact, ownLeaseFact } from '../../facts/datastore.ts';
import { flannelFact } from '../../facts/flannel.ts';
import { type Incompatibility, incompatibilities } from '../../leases/compatibility.ts';
import { overlappingLeases } from '../../leases/overlapping.ts';
import { isReservation } from '../../leases/reservation.ts';

interface Values {
  readonly key: string;
  readonly subnet: string;
  readonly problem: Incompatibility;
}

const needs = {
  config: networkConfigFact,
  leases: leasesFact,
  flannel: flannelFact,
  ownLease: { optional: ownLeaseFact },
};

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'lease-outside-network',
  group: 'lease',
  severity: 'warning',
  scope: 'cluster',
  repair: 'no',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'lease-duplicate-public-ip',
      because: (cause, own) =>
        cause.about.some((subject) => subject !== 'node' && own.about.includes(subject))
          ? { en: 'it was left behind by a host that has another lease', zh: '它是已有另一租约的主机留下的' }
          : undefined,
    },
  ],
  say: {
    en: {
      title: 'every lease is one that the network configuration would give',
      summary: (all) => nameEn(all.map(({ key, problem }) => `the lease ${key} ${describeEn(problem)}`)),
      remedy: () => 'Restart flanneld on these nodes one after the other, each drained first: it takes another subnet.',
    },
    zh: {
      title: '每个租约都符合网络配置',
      summary: (all) => nameZh(all.map(({ key, problem }) => `租约 ${key} ${describeZh(problem)}`)),
      remedy: () => '逐个排空这些节点并重启其 flanneld：它会取得另一个子网。',
    },
  },
  logs: [/not compatible with (?:current|the Etcd network) config/],
  proof: 'drill',
  evaluate: (facts) => {
    // With Kubernetes the podCIDR is the subnet, and no range of the configuration holds.
    if (facts.flannel.subnetManager === 'kube') return [];
    const contested = contestedKeys(facts.leases.records);
    return facts.leases.records.flatMap((record) => {
      if (record.kind !== 'lease' || isReservation(record) || contested.has(record.key)) return [];
      const [problem] = incompatibilities(record, facts.config.config);
      return problem === undefined ? [] : [findingOf(record, problem, facts)];
    });
  },
});

/** Of two leases that overlap one cannot be as configured: that is lease-duplicate-subnet. */
function contestedKeys(records: Facts['leases']['records']): ReadonlySet<string> {
  const contested = overlappingLeases(records).filter(([a, b]) => a.owner === null || a.owner !== b.owner);
  return new Set(contested.flat().map(({ key }) => key));
}

function findingOf(
  { key, subnet, ipv6Subnet }: { key: string; subnet: string | null; ipv6Subnet: string | null },
  problem: Incompatibility,
  { config, leases, ownLease }: Facts,
): Finding<Values> {
  const named = subnet ?? ipv6Subnet ?? key;
  const isOwn = ownLease.status === 'known' && ownLease.value.key === key;
  return {
    values: { key, subnet: named, problem },
    about: isOwn ? [`key:${key}`, 'node'] : [`key:${key}`],
    evidence: [
      { what: 'lease', observed: key, expected: expectedOf(problem), source: leases.source },
      { what: 'network configuration', observed: config.config.network, source: config.source },
    ],
    remedy: {
      commands: [`flannelctl leases show ${named}`, 'flannelctl config get'],
      actions: [],
      automatic: 'no',
      risk,
    },
  };
}

function expectedOf(problem: Incompatibility): string {
  switch (problem.kind) {
    case 'length':
      return `a /${problem.length}`;
    case 'range':
      return `from ${problem.min} to ${problem.max}`;
    case 'missing':
      return `an IPv${problem.family} subnet`;
    case 'unwanted':
      return `no IPv${problem.family} subnet`;
  }
}

function describeEn(problem: Incompatibility): string {
  switch (problem.kind) {
    case 'length':
      return `is not a /${problem.length}`;
    case 'range':
      return `is not between ${problem.min} and ${problem.max}`;
    case 'missing':
      return `has no IPv${problem.family} subnet`;
    case 'unwanted':
      return `has an IPv${problem.family} subnet, which the configuration turns off`;
  }
}

function describeZh(problem: Incompatibility): string {
  switch (problem.kind) {
    case 'length':
      return `不是 /${problem.length}`;
    case 'range':
      return `不在 ${problem.min} 与 ${problem.max} 之间`;
    case 'missing':
      return `没有 IPv${problem.family} 子网`;
    case 'unwanted':
      return `带有配置中已关闭的 IPv${problem.family} 子网`;
  }
}

const risk = {
  en: 'the pods of a node that takes another subnet must be recreated',
  zh: '改用另一子网的节点上的 Pod 需要重建',
};
