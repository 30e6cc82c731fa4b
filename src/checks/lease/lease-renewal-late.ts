import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type Evidence, type FactsOf, type Finding, type Remedy } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { NO_DATASTORE } from '../../doctor/no-datastore.ts';
import { restartCommand } from '../../doctor/restart.ts';
import { leasesFact } from '../../facts/datastore.ts';
import { flannelFact } from '../../facts/flannel.ts';
import { isGone, leaseOwnersFact } from '../../facts/lease-owners.ts';
import { type OverdueLease, overdueLeasesFact } from '../../facts/lease-renewals.ts';

interface Values extends Pick<OverdueLease, 'key' | 'subnet' | 'publicIp' | 'isOwn'> {
  readonly remainingMinutes: number;
  readonly marginMinutes: number;
}

const needs = {
  overdue: overdueLeasesFact,
  leases: leasesFact,
  flannel: flannelFact,
  owners: { optional: leaseOwnersFact },
};

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'lease-renewal-late',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES.filter(({ id }) => id !== NO_DATASTORE.id),
    {
      ...NO_DATASTORE,
      because: (_cause, { values }) =>
        values.isOwn ? { en: 'nothing here renews the lease of this node', zh: '本机没有进程为本节点续租' } : undefined,
    },
    {
      id: 'etcd-nospace',
      because: () => ({ en: 'etcd takes no writes, so nobody can renew', zh: 'etcd 不接受写入，因此谁也无法续租' }),
    },
    {
      id: 'underlay-unreachable',
      because: ({ about }, own) =>
        own.about.some((subject) => about.includes(subject))
          ? { en: 'the host that would renew it is not there', zh: '应当续租的主机不在' }
          : undefined,
    },
    {
      id: 'lease-duplicate-public-ip',
      because: ({ values: cause }, { values }) =>
        keptOf(cause) === values.subnet
          ? undefined
          : {
              en: 'its owner renews another lease and has left this one behind',
              zh: '其所有者续的是另一个租约，留下了这一个',
            },
    },
  ],
  say: {
    en: {
      title: 'every lease is renewed in time',
      summary: (all) =>
        nameEn(
          all.map(
            ({ subnet, publicIp, remainingMinutes, marginMinutes }) =>
              `the lease of ${subnet} (${publicIp ?? 'no address'}) was not renewed: ${remainingMinutes} min are left, flannel renews with ${marginMinutes} left`,
          ),
        ),
      remedy: (all) =>
        all.every(({ isOwn }) => isOwn)
          ? 'Find out why flanneld here does not renew; nothing but flanneld itself may renew its lease.'
          : "Look at flanneld, and at its way to etcd, on those hosts; nobody else may renew a host's lease.",
    },
    zh: {
      title: '每个租约都按时续租',
      summary: (all) =>
        nameZh(
          all.map(
            ({ subnet, publicIp, remainingMinutes, marginMinutes }) =>
              `${subnet}（${publicIp ?? '无地址'}）的租约未续租：剩余 ${remainingMinutes} 分钟，flannel 应在剩余 ${marginMinutes} 分钟时续租`,
          ),
        ),
      remedy: (all) =>
        all.every(({ isOwn }) => isOwn)
          ? '查明本机的 flanneld 为何没有续租；只有 flanneld 自己可以续租。'
          : '在这些主机上检查 flanneld 及其到 etcd 的路径；任何人都不能代替主机续租。',
    },
  },
  logs: [/Error renewing lease \(trying again in 1 min\)/],
  proof: 'drill',
  evaluate: (facts) =>
    facts.overdue.filter((lease) => !isOwnerGone(lease, facts)).map((lease) => findingOf(lease, facts)),
});

/** Subnet of the lease that its owner uses. */
function keptOf(values: unknown): unknown {
  return typeof values === 'object' && values !== null && 'kept' in values ? values.kept : null;
}

/** A lease whose owner is gone is lease-stale-dead-node; one that could not be asked is merely late. */
function isOwnerGone({ key }: OverdueLease, { owners }: Facts): boolean {
  const look = owners.status === 'known' ? owners.value.overdue[key] : undefined;
  return look !== undefined && isGone(look);
}

function findingOf(lease: OverdueLease, facts: Facts): Finding<Values> {
  const { key, subnet, publicIp, isOwn, remainingSeconds, marginSeconds } = lease;
  return {
    values: {
      ...{ key, subnet, publicIp, isOwn },
      remainingMinutes: Math.floor(remainingSeconds / 60),
      marginMinutes: Math.round(marginSeconds / 60),
    },
    about: isOwn ? ['node'] : [`subnet:${subnet}`],
    evidence: [
      {
        what: `seconds left of the lease ${key}`,
        observed: remainingSeconds,
        expected: `${marginSeconds} or more`,
        source: `flannelctl leases show ${subnet}`,
      },
      { what: 'where it was read', observed: key, source: facts.leases.source },
      ...ownerEvidence(lease, facts),
    ],
    remedy: remedyOf(lease, facts),
  };
}

function ownerEvidence({ key, publicIp }: OverdueLease, { owners }: Facts): readonly Evidence[] {
  const look = owners.status === 'known' ? owners.value.overdue[key] : undefined;
  if (look === undefined) return [];
  const node = look.node === null ? '' : `; it has the address of the Node ${look.node}`;
  return [{ what: 'its owner', observed: `${look.because}${node}`, source: `ping -c 3 ${publicIp}` }];
}

function remedyOf({ publicIp, isOwn }: OverdueLease, { flannel }: Facts): Remedy {
  const restart = restartCommand(flannel);
  const here = ['flannelctl doctor process', ...(restart === undefined ? [] : [restart])];
  const there = publicIp === null ? [] : [`ssh ${publicIp} flannelctl doctor process lease`];
  return { commands: isOwn ? here : there, actions: [], automatic: 'no', risk: RISK };
}

const RISK = {
  en: 'when the lease runs out, the other nodes remove their entries for this subnet and it may be given away',
  zh: '租约到期后，其他节点会删除该子网的表项，子网也可能被分配给别的节点',
};
