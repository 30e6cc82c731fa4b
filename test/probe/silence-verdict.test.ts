import { describe, expect, it } from 'vitest';
import { type Asked, controlledWays, judgeSilence, type Way } from '../../src/probe/silence-verdict.ts';

const ALL: ReadonlySet<Way> = new Set(['underlay-4', 'underlay-6', 'vxlan-4', 'vxlan-6']);
const because = { en: 'Network is unreachable', zh: '网络不可达' };

function asked(way: Way, result: Asked['result']): Asked {
  const base = { way, address: '192.0.2.1' };
  return result === 'unknown' ? { ...base, result, because } : { ...base, result };
}

const verdictOf = (list: readonly Asked[], controlled = ALL) => judgeSilence(list, controlled).verdict;
const silent = [asked('underlay-4', 'silent'), asked('vxlan-4', 'silent')];

describe('the silence of an owner', () => {
  it('is silence on the underlay and on vxlan while others answer both ways', () => {
    expect(verdictOf(silent)).toBe('silent');
  });

  it.each(['underlay-4', 'vxlan-4'] as const)('is an answer when one came on %s', (way) => {
    expect(verdictOf([...silent.filter((one) => one.way !== way), asked(way, 'answered')])).toBe('answers');
  });

  it.each(['underlay-4', 'vxlan-4'] as const)('is unknown while nobody else answers on %s', (way) => {
    expect(verdictOf(silent, new Set([...ALL].filter((one) => one !== way)))).toBe('unknown');
  });

  it.each(['underlay-4', 'vxlan-4'] as const)('is unknown when this host could not ask on %s', (way) => {
    expect(verdictOf([...silent.filter((one) => one.way !== way), asked(way, 'unknown')])).toBe('unknown');
  });

  it('is unknown without a way to ask over vxlan', () => {
    expect(verdictOf([asked('underlay-4', 'silent')])).toBe('unknown');
  });

  it('is unknown when nobody was asked at all', () => {
    expect(verdictOf([])).toBe('unknown');
  });

  it('is unknown in IPv6 where only IPv4 was proved', () => {
    const both = [...silent, asked('underlay-6', 'silent')];
    expect(verdictOf(both, new Set(['underlay-4', 'vxlan-4']))).toBe('unknown');
  });

  it('is proved by the ways in which somebody answered', () => {
    expect([...controlledWays([asked('underlay-4', 'answered'), asked('vxlan-4', 'silent')])]).toEqual(['underlay-4']);
  });
});
