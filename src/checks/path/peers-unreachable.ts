import type { OverlayPeer } from '../../dataplane/entry.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import {
  defineCheck,
  type Edge,
  type Evidence,
  type FactsOf,
  type Finding,
  type NonEmpty,
  type Remedy,
  type Text,
} from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { ruledOut } from '../../doctor/ruled-out.ts';
import { type BrokenAt, brokenAt, describeAnswer } from '../../facts/broken-at.ts';
import { ownLeaseFact } from '../../facts/datastore.ts';
import { actualOverlayFact, desiredOverlayFact, overlayPlanFact } from '../../facts/overlay.ts';
import {
  oneWayEchoFact,
  overlayEchoFact,
  type UnderlayAnswer,
  udpProbeFact,
  underlayEchoFact,
} from '../../facts/probes.ts';

interface Values {
  readonly subnet: string;
  readonly publicIp: string;
  readonly where: BrokenAt;
}

const needs = {
  underlay: underlayEchoFact,
  overlay: overlayEchoFact,
  desired: desiredOverlayFact,
  oneWay: { optional: oneWayEchoFact },
  udp: { optional: udpProbeFact },
  plan: { optional: overlayPlanFact },
  actual: { optional: actualOverlayFact },
  lease: { optional: ownLeaseFact },
};

type Facts = FactsOf<typeof needs>;

const OF_NODE: Readonly<Record<string, Text>> = {
  'vxlan-port-blocked': {
    en: 'VXLAN packets to or from this peer are dropped on the way',
    zh: '与该对端节点之间的 VXLAN 报文在途中被丢弃',
  },
  'flannel-link-missing': {
    en: 'without its vxlan device this node has no tunnel to any peer',
    zh: '没有 vxlan 设备，本节点没有通往任何对端节点的隧道',
  },
  'flannel-link-down': {
    en: 'a vxlan device that is down carries nothing, and the kernel flushed its routes',
    zh: '未启用的 vxlan 设备不传输任何报文，内核也已清空其路由',
  },
  'flannel-link-no-address': {
    en: 'packets leave with another source address, and their answers do not come back through the tunnel',
    zh: '报文以别的源地址发出，应答不会经隧道返回',
  },
  'flannel-link-incompatible': {
    en: 'the vxlan device does not speak as those of the peers do',
    zh: 'vxlan 设备的参数与对端节点的不一致',
  },
  'vtep-mac-mismatch': {
    en: 'peers address their answers to the published MAC, which the device does not have',
    zh: '对端节点把应答发往租约公布的 MAC，而设备使用的不是它',
  },
  'lease-stolen-unnoticed': {
    en: 'peers send what is for this subnet to the host that its lease names now',
    zh: '对端节点把发往该子网的报文送给现在租约所写的主机',
  },
  'lease-duplicate-subnet': {
    en: 'peers send what is for this subnet to the host that holds its lease now',
    zh: '对端节点把发往该子网的报文送给现在持有其租约的主机',
  },
};

const OF_PEER: Readonly<Record<string, Text>> = {
  'route-missing': { en: 'there is no route to the subnet of this peer', zh: '没有到该对端节点子网的路由' },
  'arp-missing': { en: "the MAC of this peer's VTEP is not known here", zh: '本机没有该对端节点 VTEP 的 MAC' },
  'arp-stale': {
    en: 'packets for this peer carry the MAC of another VTEP',
    zh: '发往该对端节点的报文带着别的 VTEP 的 MAC',
  },
  'fdb-missing': {
    en: "the kernel does not know which host has this peer's VTEP",
    zh: '内核不知道该对端节点的 VTEP 在哪台主机上',
  },
  'fdb-stale': { en: 'packets for this peer go to another host', zh: '发往该对端节点的报文被送到别的主机' },
  'vni-or-port-mismatch': {
    en: 'the tunnel of this peer has another VNI or another UDP port',
    zh: '该对端节点的隧道使用别的 VNI 或别的 UDP 端口',
  },
};

export default defineCheck<typeof needs, Values>({
  id: 'peers-unreachable',
  group: 'path',
  severity: 'error',
  repair: 'no',
  needs,
  causedBy: [...DATASTORE_CAUSES, ...overlayCauses()],
  say: {
    en: {
      title: 'every peer that is there answers over the overlay',
      summary: (all) =>
        `${namesEn(all)} ${all.length === 1 ? 'answers' : 'answer'} on the underlay but not over the overlay${WHERE_EN[whereOf(all)]}`,
      remedy: (all) => REMEDY_EN[whereOf(all)],
    },
    zh: {
      title: '每个在线的对端节点都经覆盖网络应答',
      summary: (all) => `${namesZh(all)} 在底层网络上有应答，但经覆盖网络没有应答${WHERE_ZH[whereOf(all)]}`,
      remedy: (all) => REMEDY_ZH[whereOf(all)],
    },
  },
  proof: 'drill',
  evaluate: (facts) =>
    facts.desired.peers.flatMap((peer) => {
      const underlay = facts.underlay[peer.subnet];
      const overlay = facts.overlay[peer.subnet];
      const isCutOff = underlay?.answered === true && overlay?.answered === false;
      return isCutOff ? [findingOf(peer, { underlay, overlay }, facts)] : [];
    }),
});

/** A fault of the node's device predicts silence for every peer, a fault of an entry only for the peer whose entry it is. */
function overlayCauses(): readonly Edge[] {
  return [
    ...Object.entries(OF_NODE).map(([id, because]) => ({ id, because: () => because })),
    ...Object.entries(OF_PEER).map(([id, because]) => ({
      id,
      because: ({ about }: Finding, own: Finding) =>
        own.about.some((peer) => about.includes(peer)) ? because : undefined,
    })),
    {
      id: 'lease-attrs-mismatch',
      because: ({ values }: Finding) =>
        typeof values === 'object' && values !== null && 'isUseless' in values && values.isUseless === true
          ? {
              en: 'peers cannot make entries of what the lease of this node publishes',
              zh: '对端节点无法根据本节点租约公布的内容生成表项',
            }
          : undefined,
    },
  ];
}

interface Answers {
  readonly underlay: UnderlayAnswer;
  readonly overlay: UnderlayAnswer;
}

function findingOf(peer: OverlayPeer, { underlay, overlay }: Answers, facts: Facts): Finding<Values> {
  const { subnet, publicIp, overlayIp } = peer;
  const where = brokenAt(subnet, overlay, facts);
  return {
    values: { subnet, publicIp, where },
    about: [`subnet:${subnet}`],
    evidence: [
      {
        what: 'over the overlay',
        observed: describeAnswer(overlay),
        expected: 'an answer',
        source: `ping -c 3 ${overlayIp}`,
      },
      {
        what: 'on the underlay',
        observed: describeAnswer(underlay),
        expected: 'an answer',
        source: `ping -c 3 ${publicIp}`,
      },
      ...oneWayEvidence(peer, facts),
      ...udpEvidence(peer, facts),
      ...ruledOut(subnet, facts),
    ],
    remedy: remedyOf(peer, where),
  };
}

function oneWayEvidence({ subnet, overlayIp }: OverlayPeer, { oneWay }: Facts): readonly Evidence[] {
  const outcome = oneWay.status === 'known' ? oneWay.value[subnet] : undefined;
  if (outcome === undefined) return [];
  const observed = outcome.localError ?? `${outcome.received} of ${outcome.sent} echoes`;
  const source = `ping -c 3 -m 16384 -I UNDERLAY-ADDRESS ${overlayIp}`;
  return [{ what: 'one way, the answer coming back outside the overlay', observed, source }];
}

function udpEvidence({ subnet, publicIp }: OverlayPeer, { udp, actual }: Facts): readonly Evidence[] {
  const outcome = udp.status === 'known' ? udp.value[subnet] : undefined;
  if (outcome === undefined) return [];
  const port = (actual.status === 'known' ? actual.value.links[0]?.port : undefined) ?? 8472;
  return [
    { what: `UDP to port ${port}`, observed: outcome, expected: 'silent', source: `nc -zuv ${publicIp} ${port}` },
  ];
}

function remedyOf({ publicIp }: OverlayPeer, where: BrokenAt): Remedy {
  const commands = where === 'local' ? ['flannelctl up --dry-run'] : [`ssh ${publicIp} flannelctl doctor`];
  return { commands, actions: [], automatic: 'no', risk: { en: 'none', zh: '无' } };
}

/** What holds for all of them; where they differ, nothing does. */
function whereOf(all: NonEmpty<Values>): BrokenAt {
  return all.every(({ where }) => where === all[0].where) ? all[0].where : 'unknown';
}

function namesEn(all: NonEmpty<Values>): string {
  return nameEn(all.map(({ subnet, publicIp }) => `${subnet} (${publicIp})`));
}

function namesZh(all: NonEmpty<Values>): string {
  return nameZh(all.map(({ subnet, publicIp }) => `${subnet}（${publicIp}）`));
}

const WHERE_EN = {
  'way-back': ': packets get there, the answers do not come back through the tunnel',
  local: ': no packet leaves this node',
  'no-socket': ': no vxlan socket is open there',
  unknown: '',
} as const;

const WHERE_ZH = {
  'way-back': '：报文能到达，但应答没有经隧道返回',
  local: '：报文没有离开本节点',
  'no-socket': '：那里没有打开的 vxlan 套接字',
  unknown: '',
} as const;

const REMEDY_EN = {
  'way-back': 'Run flannelctl doctor on the peer: its entries for this node, or what it lets out, are wrong.',
  local: 'Compare what the kernel of this node holds with what it should.',
  'no-socket': 'Run flannelctl doctor on the peer: its vxlan device is missing, down or on another port.',
  unknown: 'Run flannelctl doctor on the peer as well.',
} as const;

const REMEDY_ZH = {
  'way-back': '在对端节点上运行 flannelctl doctor：它关于本节点的表项或它的出站规则有误。',
  local: '比较本节点内核中的表项与应有的表项。',
  'no-socket': '在对端节点上运行 flannelctl doctor：它的 vxlan 设备不存在、未启用或使用了别的端口。',
  unknown: '在对端节点上也运行 flannelctl doctor。',
} as const;
