import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding, type Remedy } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { restartCommand, startCommand, stopCommand } from '../../doctor/restart.ts';
import { leasesFact, ownLeaseFact } from '../../facts/datastore.ts';
import { flannelFact } from '../../facts/flannel.ts';
import { interfacesFact } from '../../facts/interfaces.ts';
import { actualOverlayFact, underlayFact } from '../../facts/overlay.ts';
import { subnetEnvFact } from '../../facts/subnet-env.ts';
import {
  type ForeignHold,
  foreignHolds,
  type HoldScene,
  isStolen,
  type UsedSubnet,
} from '../../leases/foreign-holds.ts';
import { type OverlappingPair, overlappingLeases } from '../../leases/overlapping.ts';
import { shellWord } from '../../shell-word.ts';

type Values =
  | {
      readonly kind: 'held';
      readonly subnet: string;
      readonly usedBy: string;
      readonly holder: string;
      readonly inFile: boolean;
    }
  | { readonly kind: 'overlap'; readonly keys: readonly [string, string] };

const needs = {
  leases: leasesFact,
  actual: actualOverlayFact,
  interfaces: interfacesFact,
  flannel: flannelFact,
  ownLease: { optional: ownLeaseFact },
  underlay: { optional: underlayFact },
  file: { optional: subnetEnvFact },
};

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'lease-duplicate-subnet',
  group: 'lease',
  severity: 'error',
  repair: 'no',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'subnet-env-stale',
      because: (_cause, { values }) =>
        values.kind === 'held' && values.inFile
          ? {
              en: 'the subnet file names a subnet that is not that of our lease',
              zh: '子网文件写的不是本节点租约的子网',
            }
          : undefined,
    },
  ],
  say: {
    en: {
      title: 'no two nodes use one subnet',
      summary: (all) => nameEn(all.map(summaryEn)),
      remedy: (all) =>
        all.some(({ kind }) => kind === 'held')
          ? 'Decide which of the two nodes keeps the subnet; the other stops flanneld, drops its subnet file and starts it again.'
          : 'Decide which of the leases is in use; the other node gives its own up and takes another.',
    },
    zh: {
      title: '没有两个节点使用同一子网',
      summary: (all) => nameZh(all.map(summaryZh)),
      remedy: (all) =>
        all.some(({ kind }) => kind === 'held')
          ? '确定由哪个节点保留该子网；另一个节点停止 flanneld、删除其子网文件后再启动。'
          : '确定哪个租约在使用；另一个节点放弃自己的租约并重新取得一个。',
    },
  },
  proof: 'drill',
  evaluate: (facts) => {
    const held = foreignHolds(usedSubnets(facts), facts.leases.records, {
      publicIps: ownAddresses(facts),
      vtepMacs: facts.actual.links.flatMap(({ mac }) => (mac === null ? [] : [mac])),
    }).filter((hold) => !isStolen(hold, sceneOf(facts)));
    // With Kubernetes the subnet is the node's podCIDR, which no lease decides.
    const pairs = facts.flannel.subnetManager === 'kube' ? [] : overlappingLeases(facts.leases.records);
    const contested = pairs.filter(([a, b]) => a.owner === null || a.owner !== b.owner);
    return [...held.map((hold) => heldFinding(hold, facts)), ...contested.map((pair) => overlapFinding(pair, facts))];
  },
});

/** What was written over is lease-stolen-unnoticed. */
function sceneOf({ flannel, ownLease, actual }: Facts): HoldScene {
  return {
    runs: flannel.process !== null,
    hasOwnLease: ownLease.status === 'known',
    subnetManager: flannel.subnetManager,
    devices: actual.links.map(({ device }) => device),
  };
}

function summaryEn(values: Values): string {
  if (values.kind === 'overlap') return `the leases ${values.keys[0]} and ${values.keys[1]} overlap`;
  return `${values.subnet}, which ${values.usedBy} uses here, is leased to ${values.holder}`;
}

function summaryZh(values: Values): string {
  if (values.kind === 'overlap') return `租约 ${values.keys[0]} 与 ${values.keys[1]} 重叠`;
  return `本机 ${values.usedBy} 使用的 ${values.subnet} 已租给 ${values.holder}`;
}

/** What flannel.N and the subnet file say is ours; the device first, as it is what carries packets. */
function usedSubnets({ actual, file }: Facts): readonly UsedSubnet[] {
  const onDevices = actual.addresses.map(({ device, address }) => ({
    by: device,
    address: address.split('/')[0] ?? '',
  }));
  const subnets = file.status === 'known' ? [file.value.subnet, file.value.ipv6Subnet] : [];
  const path = file.status === 'known' ? file.value.path : '';
  return [
    ...onDevices,
    ...subnets.flatMap((text) => (text === null ? [] : [{ by: path, address: text.split('/')[0] ?? '' }])),
  ];
}

function ownAddresses({ interfaces, underlay }: Facts): readonly string[] {
  const local = interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
  const { publicIp, publicIpv6 } = underlay.status === 'known' ? underlay.value : { publicIp: null, publicIpv6: null };
  return [...local, ...[publicIp, publicIpv6].filter((ip) => ip !== null)];
}

function heldFinding({ used, lease, holder }: ForeignHold, facts: Facts): Finding<Values> {
  const subnet = lease.subnet ?? lease.ipv6Subnet ?? lease.key;
  const inFile = facts.file.status === 'known' && used.by === facts.file.value.path;
  const show = inFile ? `cat ${used.by}` : `ip addr show dev ${used.by}`;
  const mac = lease.attributes.vtep?.mac ?? null;
  const own = facts.actual.links.find(({ device }) => device === used.by)?.mac ?? null;
  return {
    values: { kind: 'held', subnet, usedBy: used.by, holder, inFile },
    about: ['node'],
    evidence: [
      { what: `subnet of ${used.by}`, observed: used.address, source: show },
      {
        what: `holder of ${lease.key}`,
        observed: holder,
        expected: 'an address of this host',
        source: facts.leases.source,
      },
      { what: 'VTEP MAC in that lease', observed: mac, expected: own, source: `flannelctl leases show ${subnet}` },
    ],
    remedy: remedyOf(facts, [`flannelctl leases show ${subnet}`]),
  };
}

function overlapFinding([a, b]: OverlappingPair, facts: Facts): Finding<Values> {
  return {
    values: { kind: 'overlap', keys: [a.key, b.key] },
    about: [`key:${a.key}`, `key:${b.key}`],
    evidence: [
      { what: `owner of ${a.key}`, observed: a.owner, source: facts.leases.source },
      { what: `owner of ${b.key}`, observed: b.owner, source: facts.leases.source },
    ],
    remedy: { commands: ['flannelctl leases list'], actions: [], automatic: 'no', risk: RISK },
  };
}

/** On the node that gives the subnet up; the lease itself is never deleted, or both daemons would end. */
function remedyOf({ flannel, file }: Facts, look: readonly string[]): Remedy {
  const stop = stopCommand(flannel);
  const start = startCommand(flannel) ?? restartCommand(flannel);
  const path = file.status === 'known' ? file.value.path : flannel.options.subnetFile;
  const giveUp = stop === undefined || start === undefined ? [] : [stop, `rm -- ${shellWord(path)}`, start];
  return { commands: [...look, ...giveUp], actions: [], automatic: 'no', risk: RISK };
}

const RISK = {
  en: 'the pods of the node that gives the subnet up lose their addresses and must be recreated',
  zh: '放弃该子网的节点上的 Pod 会失去地址，需要重建',
};
