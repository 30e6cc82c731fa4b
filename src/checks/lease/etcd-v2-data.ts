import { defineCheck, type NonEmpty } from '../../doctor/check.ts';
import { causesBefore } from '../../doctor/datastore-causes.ts';
import { etcdSelectionFact } from '../../facts/etcd.ts';
import { v2ConfigFact } from '../../facts/stored-config.ts';

interface Values {
  readonly key: string;
  readonly endpoint: string;
}

export default defineCheck({
  id: 'etcd-v2-data',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs: { v2: v2ConfigFact, selection: etcdSelectionFact },
  causedBy: causesBefore('etcd-config-missing'),
  say: {
    en: {
      title: 'the network configuration was not written with the v2 API alone',
      summary: ([{ key, endpoint }]: NonEmpty<Values>) =>
        `${key} exists only in the v2 API of etcd ${endpoint}, which flannel does not read since v0.18.0`,
      remedy: () => 'Write the configuration again with the v3 API, and bring every flanneld to v0.18.0 or newer.',
    },
    zh: {
      title: '网络配置不是仅用 v2 API 写入的',
      summary: ([{ key, endpoint }]) => `${key} 只存在于 etcd ${endpoint} 的 v2 API 中，flannel 自 v0.18.0 起不再读取`,
      remedy: () => '用 v3 API 重新写入配置，并把所有 flanneld 升级到 v0.18.0 或更新版本。',
    },
  },
  proof: 'drill',
  evaluate: ({ v2, selection: { prefix } }) => {
    if (v2.kind !== 'found') return [];
    const key = `${prefix}/config`;
    const { endpoint, config } = v2;
    return [
      {
        values: { key, endpoint },
        about: ['node'],
        evidence: [
          { what: `${key} in the v2 API`, observed: config, source: `curl -s ${endpoint}/v2/keys${key}` },
          { what: `${key} in the v3 API`, observed: 'no such key', expected: config, source: `etcdctl get ${key}` },
        ],
        remedy: {
          commands: ['flannelctl config validate net-conf.json', 'flannelctl config set net-conf.json'],
          actions: [],
          automatic: 'no',
          risk: {
            en: 'flanneld up to v0.17 reads only the v2 API and newer ones only the v3 API: while both run, they do not see each other',
            zh: 'v0.17 及更早的 flanneld 只读 v2 API，较新的只读 v3 API：两者并存时互相看不见',
          },
        },
      },
    ];
  },
});
