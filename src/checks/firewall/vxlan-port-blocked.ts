import { nameEn, nameZh } from '../../dataplane/naming.ts';
import {
  defineCheck,
  type Evidence,
  type FactsOf,
  type Finding,
  type NonEmpty,
  type Subject,
} from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { type BlockedPath, blockedPathFact } from '../../facts/blocked-path.ts';
import { firewallAfterProbesFact, firewallFact } from '../../facts/firewall.ts';
import { overlayEchoFact, underlayEchoFact } from '../../facts/probes.ts';
import { type TunnelBlock, tunnelFirewallFact } from '../../facts/tunnel-firewall.ts';
import { growthOf } from '../../firewall/remedy.ts';

interface Here {
  readonly where: 'here';
  readonly rule: string;
  readonly port: number;
  readonly device: string;
  readonly direction: 'in' | 'out';
}

interface Beyond {
  readonly where: 'beyond';
  readonly port: number;
  readonly publicIp: string;
}

type Values = Here | Beyond;

const needs = {
  tunnel: tunnelFirewallFact,
  rules: { optional: firewallFact },
  rulesAfter: { optional: firewallAfterProbesFact },
  underlay: { optional: underlayEchoFact },
  overlay: { optional: overlayEchoFact },
  paths: { optional: blockedPathFact },
};
type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'vxlan-port-blocked',
  group: 'firewall',
  severity: 'error',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'no firewall drops the packets of the tunnel',
      summary: (all) => [...lines(all, EN), ...beyond(all, EN)].join('; '),
      remedy: (all) =>
        isHere(all)
          ? `Accept udp/${all[0].port} between the nodes.`
          : `Accept udp/${all[0].port} on the way to ${nameEn(ips(all))} and in their firewalls.`,
    },
    zh: {
      title: '没有防火墙丢弃隧道报文',
      summary: (all) => [...lines(all, ZH), ...beyond(all, ZH)].join('；'),
      remedy: (all) =>
        isHere(all)
          ? `在节点之间放行 udp/${all[0].port}。`
          : `在通往 ${nameZh(ips(all))} 的路径上及其防火墙中放行 udp/${all[0].port}。`,
    },
  },
  repair: 'no',
  proof: 'drill',
  evaluate: (facts) => {
    const here = facts.tunnel.blocks.filter((block) => !isRefuted(block, facts));
    return [...here.flatMap((block) => findingsHere(block, facts)), ...findingsBeyond(here, facts)];
  },
});

interface Words {
  readonly here: (value: Here) => string;
  readonly beyond: (peers: readonly string[], port: number) => string;
}

const EN: Words = {
  here: ({ rule, port, direction, device }) =>
    `${rule} drops udp/${port} ${direction === 'in' ? 'coming in on' : 'going out by'} ${device}`,
  beyond: (peers, port) => `udp/${port} to ${nameEn(peers)} is dropped on the path or by the peer`,
};

const ZH: Words = {
  here: ({ rule, port, direction, device }) =>
    `${rule} 丢弃从 ${device} ${direction === 'in' ? '进入' : '发出'}的 udp/${port}`,
  beyond: (peers, port) => `发往 ${nameZh(peers)} 的 udp/${port} 在路径上或被对端节点丢弃`,
};

function lines(all: NonEmpty<Values>, words: Words): readonly string[] {
  return [...new Set(all.flatMap((value) => (value.where === 'here' ? [words.here(value)] : [])))];
}

function beyond(all: NonEmpty<Values>, words: Words): readonly string[] {
  const peers = ips(all);
  return peers.length === 0 ? [] : [words.beyond(peers, all[0].port)];
}

function isHere(all: NonEmpty<Values>): boolean {
  return all.some(({ where }) => where === 'here');
}

function ips(all: NonEmpty<Values>): readonly string[] {
  return all.flatMap((value) => (value.where === 'beyond' ? [value.publicIp] : []));
}

/** What was measured outweighs what was read: a peer that answers through the tunnel is not cut off. */
function isRefuted({ subnets }: TunnelBlock, { overlay }: Facts): boolean {
  if (overlay.status !== 'known') return false;
  const answered = Object.entries(overlay.value).flatMap(([subnet, { answered }]) => (answered ? [subnet] : []));
  return subnets === null ? answered.length > 0 : subnets.some((subnet) => answered.includes(subnet));
}

function findingsHere(block: TunnelBlock, facts: Facts): readonly Finding<Values>[] {
  const { blocker, direction, subnets } = block;
  const { port, device } = facts.tunnel;
  const subjects: readonly Subject[] =
    subnets === null ? ['node'] : subnets.map((subnet): Subject => `subnet:${subnet}`);
  return subjects.map((subject) => ({
    values: { where: 'here', rule: blocker.label, port, device, direction },
    about: [subject],
    evidence: [
      { what: blocker.kind, observed: blocker.text, source: blocker.source },
      ...counterEvidence(block, facts),
      ...underlayEvidence(facts),
    ],
    remedy: { commands: [blocker.command], actions: [], automatic: 'ask', risk: RISK },
  }));
}

function counterEvidence({ blocker }: TunnelBlock, { rules, rulesAfter }: Facts): readonly Evidence[] {
  if (rules.status !== 'known' || rulesAfter.status !== 'known') return [];
  const growth = growthOf(blocker.label, rules.value, rulesAfter.value);
  if (growth === undefined || growth <= 0) return [];
  return [
    { what: 'counter while probing', observed: `+${growth} packets`, expected: '+0 packets', source: blocker.source },
  ];
}

function underlayEvidence({ underlay }: Facts): readonly Evidence[] {
  if (underlay.status !== 'known') return [];
  const answers = Object.values(underlay.value);
  const answered = answers.filter((answer) => answer.answered).length;
  const observed = `${answered}/${answers.length} peers answer on their public address`;
  return answers.length === 0 ? [] : [{ what: 'underlay', observed, source: 'ping -c 3 PUBLIC-IP' }];
}

/** The way is blamed only for peers whose packets nothing here stops. */
function findingsBeyond(here: readonly TunnelBlock[], { paths, tunnel }: Facts): readonly Finding<Values>[] {
  if (paths.status !== 'known') return [];
  const stopped = new Set(here.flatMap(({ subnets }) => subnets ?? []));
  if (here.some(({ subnets }) => subnets === null)) return [];
  return paths.value.filter(({ subnet }) => !stopped.has(subnet)).map((path) => findingBeyond(path, tunnel));
}

function findingBeyond({ subnet, publicIp, udp }: BlockedPath, { port, device }: Facts['tunnel']): Finding<Values> {
  const probe = `nc -uzv ${publicIp} ${port}`;
  return {
    values: { where: 'beyond', port, publicIp },
    about: [`subnet:${subnet}`],
    evidence: [
      { what: `udp/${port} to ${publicIp}`, observed: udp, expected: 'an answer through the tunnel', source: probe },
      { what: 'underlay', observed: `${publicIp} answers`, source: `ping -c 3 ${publicIp}` },
      {
        what: 'echo whose answer needs no tunnel',
        observed: 'no answer',
        expected: 'an answer',
        source: `ping -c 3 -I ${device} ${subnet.split('/')[0] ?? ''}`,
      },
      { what: 'rules of this node', observed: 'none drops it', source: 'nft list ruleset; iptables-save' },
      { what: 'lease, VTEP MAC and VNI of this node', observed: 'as published', source: 'flannelctl leases list' },
      { what: `ARP, FDB and route for ${subnet}`, observed: 'as leased', source: 'flannelctl up --once --dry-run' },
    ],
    remedy: { commands: [], actions: [], automatic: 'no', risk: RISK },
  };
}

const RISK = {
  en: 'the rule is not flannel’s: whoever made it may put it back, or want it for something else',
  zh: '该规则不属于 flannel：创建它的程序可能会重新添加，也可能另有用途',
};
