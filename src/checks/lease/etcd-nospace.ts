import { defineCheck, type NonEmpty } from '../../doctor/check.ts';
import { causesBefore } from '../../doctor/datastore-causes.ts';
import { etcdctl } from '../../doctor/etcdctl.ts';
import { type EtcdSelection, etcdSelectionFact } from '../../facts/etcd.ts';
import { etcdAlarmsFact } from '../../facts/etcd-health.ts';

interface Values {
  readonly endpoint: string;
  readonly databaseBytes: number | null;
}

export default defineCheck({
  id: 'etcd-nospace',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs: { state: etcdAlarmsFact, selection: etcdSelectionFact },
  causedBy: causesBefore('etcd-config-missing'),
  say: {
    en: {
      title: 'etcd has room for writes',
      summary: ([{ endpoint, databaseBytes }]: NonEmpty<Values>) =>
        `etcd ${endpoint} has the alarm NOSPACE${sizeOf(databaseBytes, ' and a database of ')}: it refuses every write, renewals of leases too`,
      remedy: () => 'Compact and defragment etcd, then disarm the alarm, before the leases run out.',
    },
    zh: {
      title: 'etcd 有空间可写',
      summary: ([{ endpoint, databaseBytes }]) =>
        `etcd ${endpoint} 有 NOSPACE 告警${sizeOf(databaseBytes, '，数据库大小为 ')}：它拒绝所有写入，包括续租`,
      remedy: () => '在租约到期之前，对 etcd 进行 compact 和 defrag，然后解除告警。',
    },
  },
  logs: [/mvcc: database space exceeded/, /Error renewing lease/],
  proof: 'drill',
  evaluate: ({ state: { endpoint, alarms, databaseBytes }, selection }) => {
    if (!alarms.includes('NOSPACE')) return [];
    const list = etcdctl(selection, endpoint, 'alarm list');
    const status = etcdctl(selection, endpoint, 'endpoint status --write-out=json');
    return [
      {
        values: { endpoint, databaseBytes },
        about: ['node'],
        evidence: [
          { what: 'alarms of etcd', observed: alarms.join(', '), expected: 'none', source: list },
          { what: 'bytes of the database', observed: databaseBytes, source: status },
        ],
        remedy: { commands: commandsFor(selection, endpoint, status), actions: [], automatic: 'no', risk: RISK },
      },
    ];
  },
});

/** In this order: compaction only marks what may go, and the alarm comes back while the file is as large as before. */
function commandsFor(selection: EtcdSelection, endpoint: string, status: string): readonly string[] {
  const revision = `$(${status} | grep -o '"revision":[0-9]*' | head -n 1 | cut -d : -f 2)`;
  return [
    etcdctl(selection, endpoint, `compact ${revision}`),
    etcdctl(selection, endpoint, 'defrag --cluster'),
    etcdctl(selection, endpoint, 'alarm disarm'),
  ];
}

function sizeOf(bytes: number | null, before: string): string {
  return bytes === null ? '' : `${before}${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

const RISK = {
  en: 'a member does not answer while it is defragmented; a compaction takes the history away from programs that watch from an old revision',
  zh: '成员在 defrag 期间不应答；compact 会让从旧版本开始监听的程序失去历史',
};
