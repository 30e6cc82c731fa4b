import { describe, expect, it } from 'vitest';
import type { OverlayPeer } from '../../src/dataplane/entry.ts';
import { tunnelFirewallFact } from '../../src/facts/tunnel-firewall.ts';
import { parseIptables } from '../../src/firewall/iptables.ts';
import { recordedHost } from '../../src/host/recorded.ts';
import { startRecording } from '../../src/host/recording.ts';
import {
  ANSWERED,
  actualOverlay,
  contextWith,
  desiredOverlay,
  NETWORK_CONFIG,
  peerOf,
  UNANSWERED,
  UNDERLAY,
} from '../support/probe-builders.ts';

interface Scene {
  /** Lines of the filter table. */
  readonly rules: readonly string[];
  readonly peers?: readonly OverlayPeer[];
  readonly answers?: Readonly<Record<string, unknown>>;
}

const HEADERS = [':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]'];
const HOST = recordedHost(startRecording(0));

function collect({ rules, peers = [peerOf(2), peerOf(3)], answers = {} }: Scene) {
  const text = ['*filter', ...HEADERS, ...rules, 'COMMIT', ''].join('\n');
  const context = contextWith(HOST, {
    firewall: { chains: parseIptables({ program: 'iptables', family: 'ip', text }), sets: {} },
    underlay: UNDERLAY,
    interfaces: [],
    'desired-overlay': desiredOverlay(...peers),
    'vxlan-config': NETWORK_CONFIG.config.backend,
    'actual-overlay': actualOverlay(),
    'overlay-echo': answers,
  });
  return context.get(tunnelFirewallFact);
}

const cutOff = async (scene: Scene) =>
  (await collect(scene)).blocks.map(({ direction, subnets }) => [direction, subnets]);

describe('what the rules do to the tunnel', () => {
  it('is nothing without rules', async () => {
    expect(await cutOff({ rules: [] })).toEqual([]);
  });

  it('cuts off all peers at once where a rule asks for no address', async () => {
    expect(await cutOff({ rules: ['-A INPUT -p udp -m udp --dport 8472 -j DROP'] })).toEqual([['in', null]]);
  });

  it('cuts off the one peer a rule is for', async () => {
    const rules = ['-A INPUT -s 192.168.77.3/32 -j DROP'];
    expect(await cutOff({ rules })).toEqual([['in', ['10.244.3.0/24']]]);
  });

  it('cuts off all peers where a rule lists every one of them', async () => {
    const rules = ['-A OUTPUT -d 192.168.77.0/24 -p udp -j DROP'];
    expect(await cutOff({ rules })).toEqual([['out', null]]);
  });

  it('does not matter to a peer that is reached without the tunnel', async () => {
    const rules = ['-A INPUT -s 192.168.77.3/32 -j DROP'];
    expect(await cutOff({ rules, peers: [peerOf(2), peerOf(3, { isDirect: true })] })).toEqual([]);
  });

  it('names every rule that has to go, in order', async () => {
    const rules = ['-A INPUT -p udp -m udp --dport 8472 -j DROP', '-A INPUT -p udp -j REJECT'];
    const { blocks } = await collect({ rules });
    expect(blocks.map(({ blocker }) => blocker.command)).toEqual([
      'iptables -t filter -D INPUT -p udp -m udp --dport 8472 -j DROP',
      'iptables -t filter -I INPUT 1 -i e0 -p udp --dport 8472 -j ACCEPT',
    ]);
  });
});

describe('a rule that cannot be decided', () => {
  const rules = ['-A INPUT -m set --match-set banned src -j DROP'];

  it('leaves it unknown, and is named', async () => {
    await expect(collect({ rules })).rejects.toThrow('-m set --match-set banned src -j DROP may stop udp/8472');
  });

  it('does not matter while all peers answer over the overlay', async () => {
    expect(await cutOff({ rules, answers: { '10.244.2.0/24': ANSWERED, '10.244.3.0/24': ANSWERED } })).toEqual([]);
  });

  it('leaves it unknown while one peer is silent', async () => {
    const answers = { '10.244.2.0/24': ANSWERED, '10.244.3.0/24': UNANSWERED };
    await expect(collect({ rules, answers })).rejects.toMatchObject({ reason: 'unsupported' });
  });

  it('does not hide one that surely drops', async () => {
    const drop = '-A INPUT -p udp -m udp --dport 8472 -j DROP';
    expect(await cutOff({ rules: [...rules, drop] })).toEqual([['in', null]]);
  });

  it('does not matter when it is for something else', async () => {
    expect(await cutOff({ rules: ['-A INPUT -p tcp -m set --match-set banned src -j DROP'] })).toEqual([]);
  });
});
