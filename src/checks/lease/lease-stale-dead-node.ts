import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact } from '../../facts/datastore.ts';
import { isGone, leaseOwnersFact, type OwnerLook } from '../../facts/lease-owners.ts';
import { type OverdueLease, overdueLeasesFact } from '../../facts/lease-renewals.ts';

interface Values {
  readonly subnet: string;
  readonly publicIp: string;
  readonly remainingMinutes: number;
}

const needs = { overdue: overdueLeasesFact, owners: leaseOwnersFact, leases: leasesFact };

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'lease-stale-dead-node',
  group: 'lease',
  severity: 'warning',
  scope: 'cluster',
  repair: 'no',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'no lease is left of a host that is gone',
      summary: (all) =>
        nameEn(
          all.map(
            ({ subnet, publicIp, remainingMinutes }) =>
              `${publicIp}, which holds ${subnet}, did not renew and answers nowhere; the lease ends in ${remainingMinutes} min`,
          ),
        ),
      remedy: () => 'Prune these leases when the hosts are not to come back, or wait until they end.',
    },
    zh: {
      title: '没有已消失主机留下的租约',
      summary: (all) =>
        nameZh(
          all.map(
            ({ subnet, publicIp, remainingMinutes }) =>
              `持有 ${subnet} 的 ${publicIp} 没有续租且完全没有应答；该租约将在 ${remainingMinutes} 分钟后到期`,
          ),
        ),
      remedy: () => '若这些主机不再回来，清理其租约；否则等待租约到期。',
    },
  },
  proof: 'drill',
  evaluate: (facts) =>
    facts.overdue.flatMap((lease) => {
      const look = facts.owners.overdue[lease.key];
      return look !== undefined && isGone(look) && lease.publicIp !== null
        ? [findingOf({ ...lease, publicIp: lease.publicIp }, look, facts)]
        : [];
    }),
});

function findingOf(
  { key, subnet, publicIp, remainingSeconds, marginSeconds }: OverdueLease & { readonly publicIp: string },
  { asked }: OwnerLook,
  { leases, owners }: Facts,
): Finding<Values> {
  return {
    values: { subnet, publicIp, remainingMinutes: Math.floor(remainingSeconds / 60) },
    about: [`subnet:${subnet}`],
    evidence: [
      {
        what: `seconds left of the lease ${key}`,
        observed: remainingSeconds,
        expected: `${marginSeconds} or more`,
        source: `flannelctl leases show ${subnet}`,
      },
      ...asked.map(({ way, address, result }) => ({
        what: way.startsWith('vxlan') ? 'over the overlay' : 'on the underlay',
        observed: result,
        expected: 'answered',
        source: `ping -c 3 ${address}`,
      })),
      {
        what: 'owners that renewed in time and were asked the same way',
        observed: owners.controls.join(', '),
        source: leases.source,
      },
    ],
    remedy: { commands: [`flannelctl leases prune --subnet ${subnet}`], actions: [], automatic: 'no', risk: RISK },
  };
}

const RISK = {
  en: 'a host that is only cut off ends when its lease is deleted, and its pods lose their subnet',
  zh: '若该主机只是被隔离，删除租约会使其 flanneld 退出，其 Pod 失去子网',
};
