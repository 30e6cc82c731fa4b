import { defineCheck, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { parsedConfigFact } from '../../facts/stored-config.ts';

interface Values {
  readonly backend: 'absent' | 'without-type';
  readonly source: string;
}

export default defineCheck({
  id: 'netconf-backend-missing',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs: { config: parsedConfigFact },
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'the network configuration names a backend',
      summary: ([{ backend }]: NonEmpty<Values>) =>
        backend === 'absent'
          ? 'the network configuration has no Backend, so flannel takes udp, not vxlan'
          : 'Backend of the network configuration has no Type, so flannel does not start',
      remedy: () => 'Write "Backend": {"Type": "vxlan"} into the configuration, then restart every flanneld.',
    },
    zh: {
      title: '网络配置写明了后端',
      summary: ([{ backend }]) =>
        backend === 'absent'
          ? '网络配置没有 Backend，flannel 因此使用 udp 而不是 vxlan'
          : '网络配置的 Backend 没有 Type，flannel 因此无法启动',
      remedy: () => '在配置中写入 "Backend": {"Type": "vxlan"}，然后重启所有 flanneld。',
    },
  },
  logs: [
    /unknown backend type: ?$/,
    /Found network config - Backend type: (udp)?$/,
    /UDP backend is not supported on this architecture/,
  ],
  proof: 'drill',
  evaluate: ({ config: { backend, source, kind } }) => {
    if (backend === 'named') return [];
    const what = backend === 'absent' ? 'Backend' : 'Type of Backend';
    return [
      {
        values: { backend, source },
        about: ['node'],
        evidence: [{ what, observed: 'absent', expected: 'vxlan', source }],
        remedy: {
          commands: [
            'flannelctl config validate net-conf.json',
            ...(kind === 'kube' ? [] : ['flannelctl config set net-conf.json']),
          ],
          actions: [],
          automatic: 'no',
          risk: {
            en: 'nodes that run with another backend meanwhile do not reach those that were restarted',
            zh: '期间仍使用另一种后端的节点无法访问已重启的节点',
          },
        },
      },
    ];
  },
});
