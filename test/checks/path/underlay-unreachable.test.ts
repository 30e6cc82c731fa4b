import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/path/underlay-unreachable.ts';
import type { ByPeer } from '../../../src/facts/probes.ts';
import type { GonePeer } from '../../../src/facts/silent-peers.ts';
import { ANSWERED, desiredOverlay, peerOf, UNANSWERED } from '../../support/probe-builders.ts';

const GONE: GonePeer = {
  proof: 'no-neighbour',
  observed: '192.168.77.2 on e0: FAILED',
  source: 'ip -s neigh show to 192.168.77.2 dev e0',
};
const evaluate = (silent: ByPeer<GonePeer>) =>
  check.evaluate({
    silent,
    underlay: { '10.244.2.0/24': UNANSWERED, '10.244.3.0/24': ANSWERED },
    desired: desiredOverlay(peerOf(2), peerOf(3)),
  });

describe('underlay-unreachable', () => {
  it('holds where no peer is proved gone', () => {
    expect(evaluate({})).toEqual([]);
  });

  it('fails for the peer that is gone, and for no other', () => {
    const findings = evaluate({ '10.244.2.0/24': GONE });
    const [finding] = findings;
    if (finding === undefined) throw new Error('nothing was found');
    expect(findings).toHaveLength(1);
    expect(finding.about).toEqual(['subnet:10.244.2.0/24']);
    expect(check.say.en.summary([finding.values])).toBe(
      '192.168.77.2, the peer of 10.244.2.0/24, does not answer at all',
    );
    expect(finding.evidence[1]).toMatchObject({ observed: '192.168.77.2 on e0: FAILED' });
    expect(finding.remedy).toMatchObject({ commands: ['ip route get 192.168.77.2'], actions: [], automatic: 'no' });
  });

  it('says so where this host has no route', () => {
    const [finding] = evaluate({ '10.244.2.0/24': { ...GONE, proof: 'no-route', observed: 'Network is unreachable' } });
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toContain('this host has no route to 192.168.77.2');
  });

  it('does not take a peer that is silent, but not proved gone, for one that is gone', () => {
    expect(evaluate({ '10.244.9.0/24': GONE })).toEqual([]);
  });
});
