import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { type ForwardPolicy, podFirewallFact } from '../../facts/pod-firewall.ts';

interface Values {
  readonly label: string;
  readonly network: string;
}

const needs = { policies: podFirewallFact };

export default defineCheck<typeof needs, Values>({
  id: 'forward-policy-drop',
  group: 'firewall',
  severity: 'error',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'no policy of FORWARD drops what pods send each other',
      summary: (all) =>
        `${nameEn(all.map(({ label }) => label))} drops packets of pods in ${nameEn(all.map(({ network }) => network))}`,
      remedy: (all) =>
        `Let packets from and to ${nameEn(all.map(({ network }) => network))} through ahead of the policy.`,
    },
    zh: {
      title: 'FORWARD 的默认策略不丢弃 Pod 之间的报文',
      summary: (all) =>
        `${nameZh(all.map(({ label }) => label))} 丢弃 ${nameZh(all.map(({ network }) => network))} 中 Pod 的报文`,
      remedy: (all) => `在默认策略之前放行来自和发往 ${nameZh(all.map(({ network }) => network))} 的报文。`,
    },
  },
  repair: 'no',
  proof: 'drill',
  evaluate: ({ policies }) => policies.map(findingOf),
});

function findingOf({ label, network, ways, hasFlannelChain, source, commands }: ForwardPolicy): Finding<Values> {
  return {
    values: { label, network },
    about: ['node'],
    evidence: [
      { what: label, observed: 'drop', expected: 'accept, or a rule that accepts pods', source },
      { what: 'met by packets', observed: ways.join(', '), source },
      { what: 'chain FLANNEL-FWD', observed: hasFlannelChain ? 'there, without effect' : 'not there', source },
    ],
    remedy: { commands, actions: [], automatic: 'ask', risk: RISK },
  };
}

const RISK = {
  en: 'pods of the network are let through in both directions, as flannel itself does it',
  zh: '该网络中的 Pod 双向放行，与 flannel 自身的做法相同',
};
