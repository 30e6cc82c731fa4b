import { DEFAULT_PORT } from '../../dataplane/device.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { leasesFact, ownLeaseFact, vxlanConfigFact } from '../../facts/datastore.ts';
import { actualOverlayFact, desiredOverlayFact } from '../../facts/overlay.ts';
import { overlayEchoFact, underlayEchoFact } from '../../facts/probes.ts';
import { foreignPortFact } from '../../facts/tunnel-ports.ts';

type Lease = Extract<Facts['leases']['records'][number], { readonly kind: 'lease' }>;

interface Values {
  readonly what: 'VNI' | 'port';
  readonly subnet: string;
  readonly publicIp: string | null;
  readonly theirs: number;
  readonly ours: number;
}

const needs = {
  leases: leasesFact,
  vxlan: vxlanConfigFact,
  ownLease: { optional: ownLeaseFact },
  actual: { optional: actualOverlayFact },
  desired: { optional: desiredOverlayFact },
  underlay: { optional: underlayEchoFact },
  overlay: { optional: overlayEchoFact },
  ports: { optional: foreignPortFact },
};

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'vni-or-port-mismatch',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'all nodes use one VNI and one UDP port',
      summary: (all) =>
        nameEn(
          all.map(({ what, subnet, publicIp, theirs, ours }) => {
            const peer = `${subnet} (${publicIp ?? 'no address'})`;
            return what === 'VNI'
              ? `${peer} publishes VNI ${theirs}, not ${ours}`
              : `${peer} has its tunnel on udp/${theirs}, not udp/${ours}`;
          }),
        ),
      remedy: () =>
        'Give all nodes one network configuration; on those that differ delete the flannel device and restart flanneld.',
    },
    zh: {
      title: '所有节点使用同一 VNI 和同一 UDP 端口',
      summary: (all) =>
        nameZh(
          all.map(({ what, subnet, publicIp, theirs, ours }) => {
            const peer = `${subnet}（${publicIp ?? '无地址'}）`;
            return what === 'VNI'
              ? `${peer} 公布的 VNI 是 ${theirs}，应为 ${ours}`
              : `${peer} 的隧道使用 udp/${theirs}，应为 udp/${ours}`;
          }),
        ),
      remedy: () => '让所有节点使用同一网络配置；在不一致的节点上删除 flannel 设备并重启 flanneld。',
    },
  },
  proof: 'drill',
  evaluate: (facts) => {
    const ours = ownVni(facts);
    const vnis = facts.leases.records.flatMap((record) =>
      record.kind === 'lease' && isOtherVni(record, ours, facts) ? [vniFinding(record, ours, facts)] : [],
    );
    return [...vnis, ...portFindings(facts)];
  },
});

/**
 * VNI of flannel's device here, where it is named after it; else that of the configuration. So a configuration that was changed under running
 * daemons, or one wrong device here, blames no peer.
 */
function ownVni({ vxlan, actual }: Facts): number {
  const links = actual.status === 'known' ? actual.value.links : [];
  const proper = links.filter(({ device, vni }) => device.endsWith(`.${vni}`)).map(({ vni }) => vni);
  return proper.includes(vxlan.vni) ? vxlan.vni : (proper[0] ?? vxlan.vni);
}

/** Flannel on Windows takes no VNI below this one, and often has a configuration of its own. */
const LEAST_OF_WINDOWS = 4096;

function isOtherVni(lease: Lease, ours: number, facts: Facts): boolean {
  const theirs = vniOf(lease);
  const ownKey = facts.ownLease.status === 'known' ? facts.ownLease.value.key : undefined;
  if (theirs === undefined || theirs === ours || lease.key === ownKey || isDirect(lease, facts)) return false;
  return theirs !== LEAST_OF_WINDOWS || isCutOff(lease, facts);
}

function vniOf({ attributes }: Lease): number | undefined {
  return (attributes.vtep ?? attributes.vtepV6)?.vni;
}

/** Packets to it leave without the tunnel. */
function isDirect({ subnet, ipv6Subnet }: Lease, { desired }: Facts): boolean {
  const peers = desired.status === 'known' ? desired.value.peers : [];
  return peers.some((peer) => peer.subnet === (subnet ?? ipv6Subnet) && peer.isDirect);
}

/** It answers on the underlay and not over the overlay. */
function isCutOff({ subnet, ipv6Subnet }: Lease, { underlay, overlay }: Facts): boolean {
  const name = subnet ?? ipv6Subnet ?? '';
  if (underlay.status !== 'known' || overlay.status !== 'known') return false;
  return underlay.value[name]?.answered === true && overlay.value[name]?.answered === false;
}

function vniFinding(lease: Lease, ours: number, { leases }: Facts): Finding<Values> {
  const subnet = lease.subnet ?? lease.ipv6Subnet ?? lease.key;
  const publicIp = lease.attributes.publicIp ?? lease.attributes.publicIpv6;
  const theirs = vniOf(lease) ?? ours;
  return {
    values: { what: 'VNI', subnet, publicIp, theirs, ours },
    about: [`subnet:${subnet}`],
    evidence: [
      {
        what: `VNI in the lease ${lease.key}`,
        observed: theirs,
        expected: ours,
        source: `${leases.source}; flannelctl leases show ${subnet}`,
      },
    ],
    remedy: remedyOf(publicIp),
  };
}

function portFindings({ ports, desired, vxlan }: Facts): readonly Finding<Values>[] {
  if (ports.status !== 'known' || desired.status !== 'known') return [];
  const ours = vxlan.port ?? DEFAULT_PORT;
  return desired.value.peers.flatMap(({ subnet, publicIp }): readonly Finding<Values>[] => {
    const theirs = ports.value[subnet];
    if (theirs === undefined) return [];
    return [
      {
        values: { what: 'port', subnet, publicIp, theirs, ours },
        about: [`subnet:${subnet}`],
        evidence: [
          {
            what: `UDP to port ${ours}`,
            observed: 'refused',
            expected: 'silent',
            source: `nc -zuv ${publicIp} ${ours}`,
          },
          {
            what: `UDP to port ${theirs}`,
            observed: 'silent: a socket is open there',
            expected: 'refused',
            source: `nc -zuv ${publicIp} ${theirs}`,
          },
        ],
        remedy: remedyOf(publicIp),
      },
    ];
  });
}

function remedyOf(publicIp: string | null): NonNullable<Finding['remedy']> {
  const there = publicIp === null ? [] : [`ssh ${publicIp} ip -d link show type vxlan`];
  return { commands: ['flannelctl config get', ...there], actions: [], automatic: 'no', risk: RISK };
}

const RISK = {
  en: 'the overlay of a node stands still while its device is made anew',
  zh: '重新创建设备期间，该节点的覆盖网络会中断',
};
