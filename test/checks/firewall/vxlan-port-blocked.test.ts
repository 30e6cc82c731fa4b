import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/firewall/vxlan-port-blocked.ts';
import type { FactsOf } from '../../../src/doctor/check.ts';
import type { TunnelBlock } from '../../../src/facts/tunnel-firewall.ts';
import type { Ruleset } from '../../../src/firewall/ruleset.ts';
import { ANSWERED, known, UNANSWERED } from '../../support/probe-builders.ts';

type Facts = FactsOf<(typeof check)['needs']>;

const RULE = 'nft rule inet filter input handle 41';
const DROP: TunnelBlock = {
  direction: 'in',
  blocker: {
    kind: 'rule',
    label: RULE,
    text: 'udp dport 8472 counter drop',
    source: 'nft -a list table inet filter',
    command: 'nft delete rule inet filter input handle 41',
  },
  subnets: null,
};
const A = '10.244.2.0/24';
const B = '10.244.3.0/24';
const PASSIVE = { status: 'unknown', reason: 'unsupported', detail: '--probe passive' } as const;
const PATH = { subnet: A, publicIp: '192.168.77.2', udp: 'silent' } as const;

function rulesWith(packets: number): Ruleset {
  const rule = { label: RULE, text: '', deleteCommand: '', packets, conditions: [], effects: [] };
  const rules = [{ ...rule, verdict: { kind: 'drop' } as const }];
  return { chains: [{ family: 'inet', table: 'filter', name: 'input', program: 'nft', base: null, rules }], sets: {} };
}

function evaluate(parts: { blocks?: readonly TunnelBlock[] } & Partial<Facts>) {
  const { blocks = [], ...facts } = parts;
  return check.evaluate({
    tunnel: { port: 8472, device: 'eth0', blocks },
    rules: known(rulesWith(3)),
    rulesAfter: PASSIVE,
    underlay: PASSIVE,
    overlay: PASSIVE,
    paths: PASSIVE,
    ...facts,
  });
}

describe('a rule of this node', () => {
  it('is no finding while nothing drops', () => {
    expect(evaluate({})).toEqual([]);
  });

  it('is about the whole node when it stops every peer', () => {
    expect(evaluate({ blocks: [DROP] }).map(({ about }) => about)).toEqual([['node']]);
  });

  it('is about one peer when it names that one', () => {
    expect(evaluate({ blocks: [{ ...DROP, subnets: [A] }] }).map(({ about }) => about)).toEqual([[`subnet:${A}`]]);
  });

  it('is named', () => {
    const values = { where: 'here', rule: RULE, port: 8472, device: 'eth0', direction: 'in' } as const;
    expect(check.say.en.summary([values])).toBe(`${RULE} drops udp/8472 coming in on eth0`);
  });

  it('comes with the command that deletes it, which no tool runs', () => {
    expect(evaluate({ blocks: [DROP] })[0]?.remedy).toMatchObject({
      commands: ['nft delete rule inet filter input handle 41'],
      actions: [],
      automatic: 'ask',
    });
  });

  it('shows what its counter caught while probing', () => {
    const [finding] = evaluate({ blocks: [DROP], rulesAfter: known(rulesWith(27)) });
    expect(finding?.evidence).toContainEqual(
      expect.objectContaining({ what: 'counter while probing', observed: '+24 packets' }),
    );
  });

  it('is judged without any probe', () => {
    expect(evaluate({ blocks: [DROP] })).toHaveLength(1);
  });

  it('is not blamed when a peer answers through the tunnel all the same', () => {
    expect(evaluate({ blocks: [DROP], overlay: known({ [A]: ANSWERED, [B]: UNANSWERED }) })).toEqual([]);
  });
});

describe('the path', () => {
  it('is blamed for each silent peer by itself', () => {
    expect(evaluate({ paths: known([PATH]) }).map(({ about }) => about)).toEqual([[`subnet:${A}`]]);
  });

  it('is told apart from this node', () => {
    expect(check.say.en.summary([{ where: 'beyond', port: 8472, publicIp: '192.168.77.2' }])).toBe(
      'udp/8472 to 192.168.77.2 is dropped on the path or by the peer',
    );
  });

  it('is not blamed for what a rule of this node does', () => {
    expect(evaluate({ blocks: [DROP], paths: known([PATH]) })).toHaveLength(1);
  });

  it('is blamed for one peer while a rule here stops another', () => {
    const found = evaluate({ blocks: [{ ...DROP, subnets: [B] }], paths: known([PATH]) });
    expect(found.map(({ about }) => about)).toEqual([[`subnet:${B}`], [`subnet:${A}`]]);
  });
});
