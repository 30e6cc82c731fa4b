import { describe, expect, it } from 'vitest';
import vtepMac from '../../../src/checks/link/vtep-mac-mismatch.ts';
import check from '../../../src/checks/peers/arp-missing.ts';
import {
  both,
  overlayScene,
  reasonBetween,
  subnetOf,
  withLinks,
  withoutEntries,
} from '../../support/overlay-builders.ts';

const ALL = withoutEntries(['neighbour']);
const OF_PEER_2 = withoutEntries(['neighbour'], (entry) => entry.kind === 'neighbour' && entry.ip === '10.244.2.0');

describe('arp-missing', () => {
  it('holds while every peer has its entry', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('does not blame one peer for another', () => {
    const findings = check.evaluate(overlayScene({ kernel: OF_PEER_2, peers: 3 }));
    expect(findings.map(({ about }) => about)).toEqual([[`subnet:${subnetOf(2)}`]]);
  });

  it('counts the peers', () => {
    const [first, ...rest] = check.evaluate(overlayScene({ kernel: ALL })).map(({ values }) => values);
    expect(first && check.say.en.summary([first, ...rest])).toBe(
      '2 peers have no neighbour entry on flannel.1: 10.244.2.0/24, 10.244.3.0/24',
    );
  });

  it("adds exactly that peer's entry", () => {
    expect(check.evaluate(overlayScene({ kernel: OF_PEER_2 }))[0]?.remedy).toMatchObject({
      commands: ['ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:02 nud permanent dev flannel.1'],
      automatic: 'yes',
    });
  });

  it('misses an entry that the kernel asked for in vain', () => {
    const scene = overlayScene({
      peers: 1,
      kernel: (healthy) => ({
        ...healthy,
        neighbours: healthy.neighbours.map((entry) => ({ ...entry, mac: null, isPermanent: false })),
      }),
    });
    expect(check.evaluate(scene)[0]?.evidence[0].observed).toBe('asked for in vain (INCOMPLETE or FAILED)');
  });

  it('does not mistake another MAC for a missing entry', () => {
    const scene = overlayScene({
      kernel: (healthy) => ({
        ...healthy,
        neighbours: healthy.neighbours.map((entry) => ({ ...entry, mac: '02:00:00:00:00:77' })),
      }),
    });
    expect(check.evaluate(scene)).toEqual([]);
  });

  const afterMacChange = (lost: typeof ALL) => {
    const scene = overlayScene({ kernel: both(withLinks({ mac: '02:00:00:00:00:77' }), lost) });
    const of = { cause: vtepMac.evaluate(scene)[0], own: check.evaluate(scene)[0] };
    return reasonBetween(check.causedBy, vtepMac.id, of);
  };

  it('follows from a changed MAC, which flushes every entry', () => {
    expect(afterMacChange(ALL)).toBe('the MAC of flannel.1 was changed, and the kernel flushed its neighbour entries');
  });

  it('is a fault of its own where other peers still have theirs', () => {
    expect(afterMacChange(OF_PEER_2)).toBeUndefined();
  });
});
