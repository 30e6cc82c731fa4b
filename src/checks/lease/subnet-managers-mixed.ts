import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import {
  type BothManagers,
  bothManagersFact,
  type ManagedHost,
  type ManagersHere,
  managersHereFact,
} from '../../facts/subnet-managers.ts';

type Values =
  | { readonly kind: 'here'; readonly etcd: readonly number[]; readonly kube: readonly number[] }
  | { readonly kind: 'cluster'; readonly etcd: readonly string[]; readonly kube: readonly string[] };

export default defineCheck({
  id: 'subnet-managers-mixed',
  group: 'lease',
  severity: 'error',
  repair: 'no',
  needs: { here: managersHereFact, both: { judged: bothManagersFact } },
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'all nodes keep their subnets in the same datastore',
      summary: (all: NonEmpty<Values>) => nameEn(all.map(summaryEn)),
      remedy: () => 'Start every flanneld with the same subnet manager, and take away what the other one left.',
    },
    zh: {
      title: '所有节点的子网都记录在同一个数据存储中',
      summary: (all) => nameZh(all.map(summaryZh)),
      remedy: () => '让所有 flanneld 使用同一种 subnet manager，并清除另一种留下的记录。',
    },
  },
  logs: [/Created subnet manager: (Etcd Local Manager|Kubernetes Subnet Manager)/],
  proof: { recorded: 'a drill has no Kubernetes API; the tests run against a server that speaks its protocol' },
  evaluate: ({ here, both }) => [
    ...(here.etcd.length > 0 && here.kube.length > 0 ? [hereFinding(here)] : []),
    ...(both.status === 'known' ? clusterFindings(both.value) : []),
  ],
});

function hereFinding({ etcd, kube }: ManagersHere): Finding<Values> {
  return {
    values: { kind: 'here', etcd, kube },
    about: ['node'],
    evidence: [
      {
        what: 'flanneld with --kube-subnet-mgr',
        observed: `pid ${kube.join(', ')}`,
        source: 'ps -C flanneld -o pid,args',
      },
      {
        what: 'flanneld without it',
        observed: `pid ${etcd.join(', ')}`,
        expected: 'none',
        source: 'ps -C flanneld -o pid,args',
      },
    ],
    remedy: { commands: ['ps -C flanneld -o pid,args'], actions: [], automatic: 'no', risk: RISK },
  };
}

/**
 * Remnants are no mixture: after a move the old datastore goes on naming hosts for a day (etcd) or for ever (annotations), but the new one names
 * them too. Mixed is only what neither of the two knows whole.
 */
function clusterFindings({ etcd, kube, sources }: BothManagers): readonly Finding<Values>[] {
  const onlyEtcd = missingFrom(kube, etcd);
  const onlyKube = missingFrom(etcd, kube);
  if (onlyEtcd.length === 0 || onlyKube.length === 0) return [];
  return [
    {
      values: { kind: 'cluster', etcd: onlyEtcd, kube: onlyKube },
      about: ['node'],
      evidence: [
        { what: 'hosts with a lease in etcd alone', observed: nameEn(onlyEtcd), expected: 'none', source: sources[0] },
        { what: 'hosts known to Kubernetes alone', observed: nameEn(onlyKube), expected: 'none', source: sources[1] },
      ],
      remedy: {
        commands: ['flannelctl leases list', 'kubectl get nodes -o wide'],
        actions: [],
        automatic: 'no',
        risk: RISK,
      },
    },
  ];
}

function missingFrom(known: readonly ManagedHost[], hosts: readonly ManagedHost[]): readonly string[] {
  const ips = new Set(known.map(({ publicIp }) => publicIp));
  return hosts.map(({ publicIp }) => publicIp).filter((ip) => !ips.has(ip));
}

function summaryEn(values: Values): string {
  if (values.kind === 'here') return 'flanneld runs here both with and without --kube-subnet-mgr';
  return `${nameEn(values.etcd)} hold leases in etcd alone and ${nameEn(values.kube)} are known to Kubernetes alone: they do not see each other`;
}

function summaryZh(values: Values): string {
  if (values.kind === 'here') return '本机同时运行着带和不带 --kube-subnet-mgr 的 flanneld';
  return `${nameZh(values.etcd)} 只在 etcd 中有租约，${nameZh(values.kube)} 只为 Kubernetes 所知：它们互相看不见`;
}

const RISK = {
  en: 'a node that changes its subnet manager gets another subnet, and its pods must be recreated',
  zh: '更换 subnet manager 的节点会得到另一个子网，需要重建其上的 Pod',
};
