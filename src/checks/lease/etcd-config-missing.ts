import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type NonEmpty } from '../../doctor/check.ts';
import { causesBefore } from '../../doctor/datastore-causes.ts';
import { ownAllocationFact } from '../../facts/etcd.ts';
import { configElsewhereFact, storedConfigFact } from '../../facts/stored-config.ts';

interface Values {
  /** `null`: the datastore has no keys. */
  readonly key: string | null;
  readonly elsewhere: readonly string[];
}

export default defineCheck({
  id: 'etcd-config-missing',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs: {
    datastore: ownAllocationFact,
    stored: { judged: storedConfigFact },
    elsewhere: { optional: configElsewhereFact },
  },
  causedBy: [
    ...causesBefore('etcd-config-missing'),
    {
      id: 'etcd-v2-data',
      because: () => ({
        en: 'it was written with the v2 API, which nobody reads any more',
        zh: '它是用 v2 API 写入的，现在已没有程序读取',
      }),
    },
  ],
  say: {
    en: {
      title: 'the datastore holds a network configuration',
      summary: ([{ key, elsewhere }]: NonEmpty<Values>) =>
        `there is no network configuration${key === null ? '' : ` at ${key}`}${elsewhere.length === 0 ? '' : `, but one at ${nameEn(elsewhere)}`}`,
      remedy: ([{ elsewhere }]) =>
        elsewhere.length === 0
          ? 'Write the configuration with "flannelctl config set FILE".'
          : 'Point --etcd-prefix to where the configuration is, or write it where flannel looks.',
    },
    zh: {
      title: '数据存储中有网络配置',
      summary: ([{ key, elsewhere }]) =>
        `${key === null ? '' : `${key} 处`}没有网络配置${elsewhere.length === 0 ? '' : `，但 ${nameZh(elsewhere)} 处有`}`,
      remedy: ([{ elsewhere }]) =>
        elsewhere.length === 0
          ? '用 “flannelctl config set FILE” 写入配置。'
          : '让 --etcd-prefix 指向配置所在之处，或把配置写到 flannel 读取的位置。',
    },
  },
  logs: [/flannel config not found in etcd store/, /100: Key not found/],
  proof: 'drill',
  evaluate: ({ datastore: { prefix }, stored, elsewhere }) => {
    if (stored.status === 'known') return [];
    const key = prefix === null ? null : `${prefix}/config`;
    const found = elsewhere.status === 'known' ? elsewhere.value : [];
    return [
      {
        values: { key, elsewhere: found },
        about: ['node'],
        evidence: [
          {
            what: key ?? 'network configuration',
            observed: stored.detail,
            expected: 'a JSON document',
            source: sourceOf(key),
          },
          ...found.map((other) => ({ what: 'key that looks like it', observed: other, source: sourceOf(other) })),
        ],
        remedy: {
          commands: ['flannelctl config validate net-conf.json', 'flannelctl config set net-conf.json'],
          actions: [],
          automatic: 'no',
          risk: {
            en: 'a Network other than the one in use would strand the leases and pods that exist',
            zh: '如果 Network 与正在使用的不同，现有的租约和 Pod 会落在网络之外',
          },
        },
      },
    ];
  },
});

function sourceOf(key: string | null): string {
  return key === null ? 'flannelctl config get' : `etcdctl get ${key}`;
}
