import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding, type Remedy } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { restartCommand, startCommand, stopCommand } from '../../doctor/restart.ts';
import { leasesFact, ownLeaseFact } from '../../facts/datastore.ts';
import { flannelFact } from '../../facts/flannel.ts';
import { interfacesFact } from '../../facts/interfaces.ts';
import { actualOverlayFact, underlayFact } from '../../facts/overlay.ts';
import { type ForeignHold, foreignHolds, isStolen } from '../../leases/foreign-holds.ts';
import { shellWord } from '../../shell-word.ts';

interface Values {
  readonly subnet: string;
  readonly key: string;
  readonly device: string;
  readonly holder: string;
}

const needs = {
  ownLease: { judged: ownLeaseFact },
  leases: leasesFact,
  actual: actualOverlayFact,
  interfaces: interfacesFact,
  flannel: flannelFact,
  underlay: { optional: underlayFact },
};

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'lease-stolen-unnoticed',
  group: 'lease',
  severity: 'error',
  repair: 'no',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'the record of the subnet that flannel uses here still names this host',
      summary: (all) =>
        nameEn(
          all.map(
            ({ subnet, device, holder }) =>
              `the lease of ${subnet} names ${holder}, while flanneld here goes on using it on ${device}`,
          ),
        ),
      remedy: () =>
        'Stop flanneld here, remove its subnet file and start it: it takes another subnet. Then recreate the pods of this node.',
    },
    zh: {
      title: '本机 flannel 所用子网的记录仍写着本机',
      summary: (all) =>
        nameZh(
          all.map(
            ({ subnet, device, holder }) => `${subnet} 的租约写着 ${holder}，而本机 flanneld 仍在 ${device} 上使用它`,
          ),
        ),
      remedy: () => '在本机停止 flanneld、删除其子网文件后再启动：它会取得另一个子网。然后重建本节点的 Pod。',
    },
  },
  proof: 'drill',
  evaluate: (facts) => {
    const { actual, flannel, ownLease } = facts;
    const scene = {
      runs: flannel.process !== null,
      hasOwnLease: ownLease.status === 'known',
      subnetManager: flannel.subnetManager,
      devices: actual.links.map(({ device }) => device),
    };
    const used = actual.addresses.map(({ device, address }) => ({ by: device, address: address.split('/')[0] ?? '' }));
    const own = { publicIps: ownAddresses(facts), vtepMacs: actual.links.flatMap(({ mac }) => mac ?? []) };
    return foreignHolds(used, facts.leases.records, own)
      .filter((hold) => isStolen(hold, scene))
      .map((hold) => findingOf(hold, facts));
  },
});

function ownAddresses({ interfaces, underlay }: Facts): readonly string[] {
  const local = interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
  const { publicIp, publicIpv6 } = underlay.status === 'known' ? underlay.value : { publicIp: null, publicIpv6: null };
  return [...local, ...[publicIp, publicIpv6].filter((ip) => ip !== null)];
}

function findingOf({ used, lease, holder }: ForeignHold, facts: Facts): Finding<Values> {
  const { actual, leases, flannel } = facts;
  const subnet = lease.subnet ?? lease.ipv6Subnet ?? lease.key;
  const own = actual.links.find(({ device }) => device === used.by)?.mac ?? null;
  const show = `flannelctl leases show ${subnet}`;
  return {
    values: { subnet, key: lease.key, device: used.by, holder },
    about: ['node'],
    evidence: [
      { what: `address of ${used.by}`, observed: used.address, source: `ip addr show dev ${used.by}` },
      {
        what: `public IP in the lease ${lease.key}`,
        observed: holder,
        expected: 'an address of this host',
        source: leases.source,
      },
      { what: 'VTEP MAC in that lease', observed: lease.attributes.vtep?.mac ?? null, expected: own, source: show },
      {
        what: 'flanneld here',
        observed: flannel.process === null ? null : `runs, pid ${flannel.process.pid}`,
        source: 'ps -C flanneld',
      },
    ],
    remedy: remedyOf(facts, show),
  };
}

/** The lease is never deleted: the host that it names would end. */
function remedyOf({ flannel }: Facts, show: string): Remedy {
  const stop = stopCommand(flannel);
  const start = startCommand(flannel) ?? restartCommand(flannel);
  const giveUp =
    stop === undefined || start === undefined ? [] : [stop, `rm -- ${shellWord(flannel.options.subnetFile)}`, start];
  return { commands: [show, ...giveUp], actions: [], automatic: 'no', risk: RISK };
}

const RISK = {
  en: 'the pods of this node lose their addresses and must be recreated',
  zh: '本节点的 Pod 会失去地址，需要重建',
};
