import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type Evidence, type NonEmpty } from '../../doctor/check.ts';
import { etcdctl } from '../../doctor/etcdctl.ts';
import { NO_DATASTORE } from '../../doctor/no-datastore.ts';
import { type EndpointLook, type EndpointOutcome, etcdEndpointsFact, etcdSelectionFact } from '../../facts/etcd.ts';

type Unreached = Extract<
  EndpointOutcome['kind'],
  'refused' | 'silent' | 'no-route' | 'unresolved' | 'not-etcd' | 'no-quorum'
>;

interface Values {
  readonly endpoints: readonly { readonly endpoint: string; readonly kind: Unreached; readonly words: string }[];
}

export default defineCheck({
  id: 'etcd-unreachable',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs: { looks: etcdEndpointsFact, selection: etcdSelectionFact },
  causedBy: [NO_DATASTORE],
  say: {
    en: {
      title: 'an endpoint of etcd answers',
      summary: ([{ endpoints }]: NonEmpty<Values>) =>
        nameEn(endpoints.map(({ endpoint, words }) => `etcd ${endpoint} ${words}`)),
      remedy: ([{ endpoints }]) => nameEn(endpoints.map(({ kind }) => REMEDIES[kind].en)),
    },
    zh: {
      title: '至少有一个 etcd 端点应答',
      summary: ([{ endpoints }]) =>
        nameZh(endpoints.map(({ endpoint, kind }) => `etcd ${endpoint} ${STATES_ZH[kind]}`)),
      remedy: ([{ endpoints }]) => nameZh(endpoints.map(({ kind }) => REMEDIES[kind].zh)),
    },
  },
  logs: [
    /Couldn't fetch network config: .*(connection refused|DeadlineExceeded|Unavailable|no such host|context deadline)/,
    /retrying of unary invoker failed/,
    /etcd cluster is unavailable or misconfigured/,
  ],
  proof: 'drill',
  evaluate: ({ looks, selection }) => {
    const endpoints = looks.flatMap(({ endpoint, outcome }) => {
      const { kind } = outcome;
      return isUnreached(kind) && 'words' in outcome ? [{ endpoint, kind, words: outcome.words }] : [];
    });
    // One that got further is what somebody has to look at: TLS, rights and slowness have checks of their own.
    if (endpoints.length < looks.length) return [];
    const [first, ...more] = looks.map(evidenceOf);
    if (first === undefined) return [];
    return [
      {
        values: { endpoints },
        about: ['node'],
        evidence: [first, ...more],
        remedy: {
          commands: endpoints.map(({ endpoint }) => etcdctl(selection, endpoint, 'endpoint health')),
          actions: [],
          automatic: 'no',
          risk: RISK,
        },
      },
    ];
  },
});

function isUnreached(kind: EndpointOutcome['kind']): kind is Unreached {
  return kind in REMEDIES;
}

function evidenceOf({ endpoint, outcome }: EndpointLook): Evidence {
  const observed = outcome.kind === 'answers' ? 'answers' : outcome.words;
  return { what: `etcd ${endpoint}`, observed, expected: 'answers', source: `curl -s ${endpoint}/health` };
}

const STATES_ZH: Readonly<Record<Unreached, string>> = {
  refused: '拒绝连接',
  silent: '没有应答',
  'no-route': '从本机没有路由可达',
  unresolved: '的名称无法解析或写法有误',
  'not-etcd': '没有像 etcd 那样应答',
  'no-quorum': '没有 leader：集群已失去多数派',
};

const REMEDIES: Readonly<Record<Unreached, { readonly en: string; readonly zh: string }>> = {
  refused: {
    en: 'Start etcd there, or correct --etcd-endpoints.',
    zh: '在该主机上启动 etcd，或更正 --etcd-endpoints。',
  },
  silent: {
    en: 'Let TCP to the port of etcd through between both hosts, and see whether its host lives.',
    zh: '放行两台主机之间到 etcd 端口的 TCP，并确认该主机仍在运行。',
  },
  'no-route': { en: 'Mend the route to the host of etcd.', zh: '修复到 etcd 主机的路由。' },
  unresolved: {
    en: 'Mend the name resolution, or write an address into --etcd-endpoints.',
    zh: '修复名称解析，或在 --etcd-endpoints 中直接写地址。',
  },
  'not-etcd': {
    en: 'Correct --etcd-endpoints: another service answers there.',
    zh: '更正 --etcd-endpoints：那里应答的是别的服务。',
  },
  'no-quorum': {
    en: 'Bring back so many members of etcd that more than half of them run.',
    zh: '恢复 etcd 成员，使半数以上成员运行。',
  },
};

const RISK = {
  en: 'the overlay keeps working with what it has until the leases run out, so do not restart flanneld meanwhile',
  zh: '在租约到期之前覆盖网络按现有状态继续工作，期间不要重启 flanneld',
};
