import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding, type Remedy, type Subject } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact, ownLeaseFact } from '../../facts/datastore.ts';
import { type SharedPublicIp, sharedPublicIps } from '../../leases/shared-public-ip.ts';

interface Values {
  readonly publicIp: string;
  readonly keys: readonly string[];
  readonly subnets: readonly string[];
  /** Subnet that the host's flannel.N has; `null`: it cannot be seen from here. */
  readonly kept: string | null;
  /** VTEP MACs that the leases publish. */
  readonly macs: readonly string[];
}

const needs = { leases: leasesFact, ownLease: { optional: ownLeaseFact } };

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'lease-duplicate-public-ip',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'lease-stolen-unnoticed',
      because: ({ values: cause }, { values }) =>
        values.keys.includes(keyOf(cause))
          ? {
              en: 'the record of our subnet was written over with the address of a host that has a lease of its own',
              zh: '本节点子网的记录被改写成另一台已有自己租约的主机的地址',
            }
          : undefined,
    },
  ],
  say: {
    en: {
      title: 'no host holds more than one lease',
      summary: (all) => nameEn(all.map(({ publicIp, subnets }) => `${publicIp} has the leases ${subnets.join(', ')}`)),
      remedy: (all) =>
        all.some(({ macs }) => macs.length > 1)
          ? 'Find out whether one host has two leases, or two hosts publish one address: then give each its own public IP.'
          : 'Keep the lease whose subnet flannel.N has on that host, and release the other there.',
    },
    zh: {
      title: '没有主机持有多个租约',
      summary: (all) => nameZh(all.map(({ publicIp, subnets }) => `${publicIp} 有多个租约：${subnets.join('、')}`)),
      remedy: (all) =>
        all.some(({ macs }) => macs.length > 1)
          ? '查明是一台主机有两个租约，还是两台主机公布了同一地址：若是后者，让每台主机使用自己的公网 IP。'
          : '保留该主机上 flannel.N 所用子网的租约，在该主机上释放另一个。',
    },
  },
  proof: 'drill',
  evaluate: (facts) => sharedPublicIps(facts.leases.records).map((shared) => findingOf(shared, facts)),
});

function keyOf(values: unknown): string {
  return typeof values === 'object' && values !== null && 'key' in values ? String(values.key) : '';
}

function findingOf({ publicIp, leases }: SharedPublicIp, { ownLease, leases: listing }: Facts): Finding<Values> {
  const own = ownLease.status === 'known' ? leases.find(({ key }) => key === ownLease.value.key) : undefined;
  const subnets = leases.map(subnetOf);
  const macs = leases.flatMap(({ attributes }) => attributes.vtep?.mac ?? attributes.vtepV6?.mac ?? []);
  const values = {
    publicIp,
    keys: leases.map(({ key }) => key),
    subnets,
    kept: own === undefined ? null : subnetOf(own),
    macs: [...new Set(macs)],
  };
  const [first, ...rest] = leases.flatMap((lease): Subject[] => [`key:${lease.key}`, `subnet:${subnetOf(lease)}`]);
  return {
    values,
    about: [first ?? 'node', ...rest],
    evidence: [
      { what: `leases that name ${publicIp}`, observed: subnets.join(', '), expected: 'one', source: listing.source },
      {
        what: 'VTEP MACs in them',
        observed: values.macs.join(', '),
        source: subnets.map((subnet) => `flannelctl leases show ${subnet}`).join('; '),
      },
    ],
    remedy: remedyOf(values, own !== undefined),
  };
}

/** The owner answers, so nobody but that host itself gives a lease back. */
function remedyOf({ publicIp, subnets, kept }: Values, isHere: boolean): Remedy {
  const commands = isHere
    ? subnets.filter((subnet) => subnet !== kept).map((subnet) => `flannelctl leases release ${subnet}`)
    : [`flannelctl leases show ${publicIp}`, `ssh ${publicIp} ip -brief addr show type vxlan`];
  return { commands, actions: [], automatic: 'no', risk: RISK };
}

function subnetOf({ subnet, ipv6Subnet, key }: SharedPublicIp['leases'][number]): string {
  return subnet ?? ipv6Subnet ?? key;
}

const RISK = {
  en: 'pods that have an address of the subnet that is released are cut off',
  zh: '使用被释放子网地址的 Pod 会失去连接',
};
