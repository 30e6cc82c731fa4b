import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact, networkConfigFact, ownLeaseFact } from '../../facts/datastore.ts';
import { backendNameOf, publishedBackend } from '../../leases/backend.ts';
import { isReservation } from '../../leases/reservation.ts';

type Lease = Extract<Facts['leases']['records'][number], { readonly kind: 'lease' }>;

interface Values {
  readonly subnet: string;
  readonly publicIp: string | null;
  /** `host-gw`. */
  readonly backend: string;
  readonly expected: string;
}

const needs = { leases: leasesFact, config: networkConfigFact, ownLease: { optional: ownLeaseFact } };

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'backend-mixed',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'all nodes run one backend',
      summary: (all) =>
        nameEn(
          all.map(
            ({ subnet, publicIp, backend, expected }) =>
              `${subnet} (${publicIp ?? 'no address'}) runs ${backend}, not ${expected}`,
          ),
        ),
      remedy: () =>
        'Give all nodes one network configuration, drain them, and restart flanneld on those that run another backend.',
    },
    zh: {
      title: '所有节点运行同一后端',
      summary: (all) =>
        nameZh(
          all.map(
            ({ subnet, publicIp, backend, expected }) =>
              `${subnet}（${publicIp ?? '无地址'}）运行 ${backend}，而不是 ${expected}`,
          ),
        ),
      remedy: () => '让所有节点使用同一网络配置，排空节点，并在运行其他后端的节点上重启 flanneld。',
    },
  },
  logs: [/[Ii]gnoring non-(?:vxlan|host-gw|ipip|wireguard)/],
  proof: 'drill',
  evaluate: (facts) => {
    const expected = backendNameOf(facts.config.config.backend);
    const others = facts.leases.records.flatMap((record) => (isOther(record, facts) ? [record] : []));
    const odd = others.filter((lease) => publishedBackend(lease) !== expected);
    return isMixed(others, facts) ? odd.map((lease) => findingOf(lease, expected, facts)) : [];
  },
});

/** What this node itself publishes is lease-attrs-mismatch. A reservation publishes no backend. */
function isOther(record: Facts['leases']['records'][number], { ownLease }: Facts): record is Lease {
  const ownKey = ownLease.status === 'known' ? ownLease.value.key : undefined;
  return record.kind === 'lease' && record.key !== ownKey && !isReservation(record);
}

/** A configuration that no node has taken up yet makes no mixture: all nodes still run what they ran. */
function isMixed(others: readonly Lease[], { ownLease }: Facts): boolean {
  const own = ownLease.status === 'known' ? [publishedBackend(ownLease.value)] : [];
  return new Set([...own, ...others.map(publishedBackend)]).size > 1;
}

function findingOf(lease: Lease, expected: string, { leases, config }: Facts): Finding<Values> {
  const subnet = lease.subnet ?? lease.ipv6Subnet ?? lease.key;
  const publicIp = lease.attributes.publicIp ?? lease.attributes.publicIpv6;
  const backend = publishedBackend(lease);
  return {
    values: { subnet, publicIp, backend, expected },
    about: [`subnet:${subnet}`],
    evidence: [
      {
        what: `BackendType in the lease ${lease.key}`,
        observed: backend,
        expected,
        source: `${leases.source}; flannelctl leases show ${subnet}`,
      },
      { what: 'backend of the network configuration', observed: expected, source: config.source },
    ],
    remedy: {
      commands: ['flannelctl leases list', ...(publicIp === null ? [] : [`ssh ${publicIp} flannelctl doctor process`])],
      actions: [],
      automatic: 'no',
      risk: RISK,
    },
  };
}

const RISK = {
  en: 'pods of a node are cut off while its flanneld changes the backend',
  zh: '节点的 flanneld 切换后端期间，其 Pod 失去连接',
};
