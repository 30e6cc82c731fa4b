import { defineCheck, type NonEmpty } from '../../doctor/check.ts';
import { causesBefore } from '../../doctor/datastore-causes.ts';
import { ownAllocationFact } from '../../facts/etcd.ts';
import { parsedConfigFact } from '../../facts/stored-config.ts';

interface Values {
  readonly problems: readonly string[];
}

export default defineCheck({
  id: 'netconf-range-invalid',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  // With Kubernetes, which gives the subnets, flannel applies none of these rules.
  needs: { datastore: ownAllocationFact, config: parsedConfigFact },
  causedBy: causesBefore('netconf-range-invalid'),
  say: {
    en: {
      title: 'the network configuration leaves flannel subnets to give',
      summary: ([{ problems }]: NonEmpty<Values>) =>
        `flannel refuses the network configuration: ${problems.join('; ')}`,
      remedy: () => 'Correct the ranges of the configuration, then restart every flanneld.',
    },
    zh: {
      title: '网络配置的网段可供 flannel 分配子网',
      summary: ([{ problems }]) => `flannel 拒绝该网络配置：${problems.join('；')}`,
      remedy: () => '更正配置中的网段范围，然后重启所有 flanneld。',
    },
  },
  logs: [
    /network is too small/,
    /must be able to accommodate at least four subnets/,
    /is not on a SubnetLen boundary/,
    /is not in the range of the Network/,
    /please define a correct (IPv6)?Network/,
    /SubnetLen must be less than/,
    /none defined stack/,
  ],
  proof: 'drill',
  evaluate: ({ config: { rangeProblems, source } }) => {
    const [first, ...more] = rangeProblems.map((problem) => ({
      what: 'rule of flannel that it breaks',
      observed: problem,
      source,
    }));
    if (first === undefined) return [];
    return [
      {
        values: { problems: rangeProblems },
        about: ['node'],
        evidence: [first, ...more],
        remedy: {
          commands: ['flannelctl config validate net-conf.json', 'flannelctl config set net-conf.json'],
          actions: [],
          automatic: 'no',
          risk: {
            en: 'leases outside the new ranges are replaced when their flanneld starts again, and their pods must be recreated',
            zh: '不在新范围内的租约会在对应的 flanneld 重启时被替换，需要重建其上的 Pod',
          },
        },
      },
    ];
  },
});
