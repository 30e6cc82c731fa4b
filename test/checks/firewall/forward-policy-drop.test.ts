import { expect, it } from 'vitest';
import check from '../../../src/checks/firewall/forward-policy-drop.ts';
import type { InterfaceInfo } from '../../../src/facts/interfaces.ts';
import { forwardPolicies } from '../../../src/facts/pod-firewall.ts';
import { parseIptables } from '../../../src/firewall/iptables.ts';

const FLANNEL = [
  ':FLANNEL-FWD - [0:0]',
  '[0:0] -A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD',
  '[0:0] -A FLANNEL-FWD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
  '[0:0] -A FLANNEL-FWD -d 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
];

const DEVICE: InterfaceInfo = {
  ...{
    index: 4,
    name: 'flannel.1',
    kind: 'vxlan',
    mtuBytes: 1450,
    mac: '',
    isUp: true,
    hasCarrier: true,
    master: null,
  },
  addresses: [
    {
      family: 4,
      ip: '10.244.1.0',
      prefixLength: 32,
      scope: 'global',
      isDynamic: false,
      isTemporary: false,
      isDeprecated: false,
    },
  ],
  vxlan: null,
  counters: null,
};

function evaluate(policy: string, rules: readonly string[]) {
  const text = ['*filter', ':INPUT ACCEPT [0:0]', `:FORWARD ${policy} [0:0]`, ...rules, 'COMMIT', ''].join('\n');
  const chains = parseIptables({ program: 'iptables', family: 'ip', text });
  const scene = { ruleset: { chains, sets: {} }, networks: ['10.244.0.0/16'], interfaces: [DEVICE] };
  return check.evaluate({ policies: forwardPolicies(scene) });
}

it('holds while the policy accepts', () => {
  expect(evaluate('ACCEPT', [])).toEqual([]);
});

it("holds under a policy of DROP with flannel's rules, as Docker leaves it", () => {
  expect(evaluate('DROP', FLANNEL)).toEqual([]);
});

it('finds a policy that nothing precedes, in both directions', () => {
  const [finding, ...others] = evaluate('DROP', []);
  expect(others).toEqual([]);
  expect(finding?.about).toEqual(['node']);
  expect(finding?.evidence[1]?.observed).toBe('cni0 → flannel.1, flannel.1 → cni0');
  expect(finding?.remedy?.commands).toEqual([
    'iptables -I FORWARD 1 -s 10.244.0.0/16 -j ACCEPT',
    'iptables -I FORWARD 1 -d 10.244.0.0/16 -j ACCEPT',
  ]);
});

it("asks for the jump to flannel's own chain where that is still there", () => {
  const [finding] = evaluate('DROP', [FLANNEL[0] ?? '', ...FLANNEL.slice(2)]);
  expect(finding?.remedy?.commands).toEqual(['iptables -I FORWARD 1 -j FLANNEL-FWD']);
});

it("finds that flannel's rules are for another network", () => {
  const [finding] = evaluate(
    'DROP',
    FLANNEL.map((rule) => rule.replace('10.244.0.0', '10.99.0.0')),
  );
  expect(finding?.remedy?.commands).toHaveLength(2);
});

it('is no answer to established connections alone', () => {
  expect(evaluate('DROP', ['[0:0] -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'])).toHaveLength(1);
});

it('does not take a rule that rejects for the policy', () => {
  expect(
    evaluate('ACCEPT', ['[0:0] -A FORWARD -j REJECT --reject-with icmp-host-prohibited', ...FLANNEL.slice(0)]),
  ).toEqual([]);
});

it('minds no rule of another interface', () => {
  expect(evaluate('DROP', ['[0:0] -A FORWARD -i docker0 -j ACCEPT', ...FLANNEL])).toEqual([]);
});

it('does not judge when an extension that cannot be read decides', () => {
  expect(() => evaluate('DROP', ['[0:0] -A FORWARD -m set --match-set pods src -j ACCEPT'])).toThrow('--match-set');
});

it('names the chain', () => {
  expect(check.say.en.summary([{ label: 'policy of iptables -t filter FORWARD', network: '10.244.0.0/16' }])).toBe(
    'policy of iptables -t filter FORWARD drops packets of pods in 10.244.0.0/16',
  );
});
