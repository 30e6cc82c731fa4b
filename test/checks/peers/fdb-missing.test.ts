import { describe, expect, it } from 'vitest';
import down from '../../../src/checks/link/flannel-link-down.ts';
import incompatible from '../../../src/checks/link/flannel-link-incompatible.ts';
import missing from '../../../src/checks/link/flannel-link-missing.ts';
import check from '../../../src/checks/peers/fdb-missing.ts';
import {
  both,
  macOf,
  overlayScene,
  reasonBetween,
  subnetOf,
  withLinks,
  withoutEntries,
} from '../../support/overlay-builders.ts';

const ALL = withoutEntries(['fdb']);
const OF_PEER_2 = withoutEntries(['fdb'], (entry) => entry.kind === 'fdb' && entry.mac === macOf(2));

describe('fdb-missing', () => {
  it('holds while every peer has its entry', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('does not blame one peer for another', () => {
    const findings = check.evaluate(overlayScene({ kernel: OF_PEER_2, peers: 3 }));
    expect(findings.map(({ about }) => about)).toEqual([[`subnet:${subnetOf(2)}`]]);
  });

  it('names at most five peers', () => {
    const [first, ...rest] = check.evaluate(overlayScene({ kernel: ALL, peers: 7 })).map(({ values }) => values);
    expect(first && check.say.en.summary([first, ...rest])).toBe(
      '7 peers have no forwarding entry on flannel.1: 10.244.2.0/24, 10.244.3.0/24, 10.244.4.0/24, 10.244.5.0/24, 10.244.6.0/24 and 2 more',
    );
  });

  it('shows how the reader sees the same', () => {
    expect(check.evaluate(overlayScene({ kernel: OF_PEER_2 }))[0]?.evidence).toEqual([
      {
        what: 'forwarding entry of 02:00:00:00:00:02',
        observed: 'none',
        expected: '02:00:00:00:00:02 dst 192.168.77.2 permanent',
        source: 'bridge fdb show dev flannel.1',
      },
    ]);
  });

  it("adds exactly that peer's entry", () => {
    expect(check.evaluate(overlayScene({ kernel: OF_PEER_2 }))[0]?.remedy).toMatchObject({
      commands: ['bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 192.168.77.2 self permanent'],
      automatic: 'yes',
    });
  });

  it('does not miss the entry of a peer that is routed directly', () => {
    expect(check.evaluate(overlayScene({ directRouting: true }))).toEqual([]);
  });

  it('does not mistake an entry that leads elsewhere for a missing one', () => {
    const scene = overlayScene({
      kernel: (healthy) => ({ ...healthy, fdb: healthy.fdb.map((entry) => ({ ...entry, dst: '192.0.2.1' })) }),
    });
    expect(check.evaluate(scene)).toEqual([]);
  });

  it('does not miss entries that are there and only go with a device that has to be made anew', () => {
    expect(check.evaluate(overlayScene({ kernel: withLinks({ port: 4789 }) }))).toEqual([]);
  });

  it('follows from a missing device', () => {
    const scene = overlayScene({ kernel: withoutEntries(['link', 'address', 'neighbour', 'fdb', 'route']) });
    const of = { cause: missing.evaluate(scene)[0], own: check.evaluate(scene)[0] };
    expect(reasonBetween(check.causedBy, missing.id, of)).toBe(
      'flannel.1 does not exist, and its forwarding entries went with it',
    );
  });

  it('is a fault of its own where the wrong device still has the entries of other peers', () => {
    const scene = overlayScene({ kernel: both(withLinks({ port: 4789 }), OF_PEER_2) });
    const of = { cause: incompatible.evaluate(scene)[0], own: check.evaluate(scene)[0] };
    expect(reasonBetween(check.causedBy, incompatible.id, of)).toBeUndefined();
  });

  it('never follows from a device that is down, because the kernel keeps the entries', () => {
    expect(check.causedBy?.map(({ id }) => id)).not.toContain(down.id);
  });
});
