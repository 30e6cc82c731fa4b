import { defineCheck, type NonEmpty } from '../../doctor/check.ts';
import { causesBefore } from '../../doctor/datastore-causes.ts';
import { etcdctl } from '../../doctor/etcdctl.ts';
import { etcdSelectionFact } from '../../facts/etcd.ts';
import { etcdReadTimesFact, type ReadTimes } from '../../facts/etcd-health.ts';

/** flannel asks for the time of each lease in a call of its own, one after the other (registry.go:getSubnets). */
const SLOW_MS = 100;

export default defineCheck({
  id: 'datastore-slow',
  group: 'lease',
  severity: 'warning',
  scope: 'cluster',
  repair: 'no',
  needs: { times: etcdReadTimesFact, selection: etcdSelectionFact },
  causedBy: causesBefore('datastore-slow'),
  say: {
    en: {
      title: `etcd answers 95 of 100 reads within ${SLOW_MS} ms`,
      summary: ([{ endpoint, p95Ms, isAtLeast }]: NonEmpty<ReadTimes>) =>
        `etcd ${endpoint} takes ${isAtLeast ? 'more than ' : ''}${Math.round(p95Ms)} ms for one read, not ${SLOW_MS} ms or less`,
      remedy: () =>
        'Look at the disk and the load of etcd and at the way to it: with many nodes a start of flanneld takes minutes.',
    },
    zh: {
      title: `etcd 在 ${SLOW_MS} 毫秒内应答百分之九十五的读取`,
      summary: ([{ endpoint, p95Ms, isAtLeast }]) =>
        `etcd ${endpoint} 读取一次需要${isAtLeast ? '超过 ' : ' '}${Math.round(p95Ms)} 毫秒，应不超过 ${SLOW_MS} 毫秒`,
      remedy: () => '检查 etcd 的磁盘和负载以及到它的链路：节点较多时，flanneld 启动需要数分钟。',
    },
  },
  logs: [/apply request took too long/, /Waiting 10m0s for node controller to sync/],
  proof: 'drill',
  evaluate: ({ times, selection }) => {
    if (times.p95Ms <= SLOW_MS) return [];
    const { endpoint, p95Ms, medianMs, samples } = times;
    const source = `time ${etcdctl(selection, endpoint, `get --keys-only ${selection.prefix}/config`)}`;
    return [
      {
        values: times,
        about: ['node'],
        evidence: [
          { what: `95th percentile of ${samples} reads, ms`, observed: p95Ms, expected: SLOW_MS, source },
          { what: 'median, ms', observed: medianMs, source },
        ],
        remedy: {
          commands: [etcdctl(selection, endpoint, 'endpoint status --cluster --write-out=table')],
          actions: [],
          automatic: 'no',
          risk: { en: 'none by looking', zh: '仅查看没有风险' },
        },
      },
    ];
  },
});
