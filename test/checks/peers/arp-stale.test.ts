import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/peers/arp-stale.ts';
import type { ActualOverlay, NeighbourEntry } from '../../../src/dataplane/entry.ts';
import { aLease, overlayScene, type SceneParts, subnetOf } from '../../support/overlay-builders.ts';

const NOBODYS: NeighbourEntry = {
  kind: 'neighbour',
  device: 'flannel.1',
  ip: '10.244.99.0',
  mac: '02:00:00:00:00:99',
  isPermanent: true,
};

describe('arp-stale', () => {
  it('holds while every entry has the published MAC', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('names both MACs', () => {
    const kernel = ofPeer2({ mac: '02:00:00:00:00:77' });
    expect(summaryOf({ kernel })).toBe('flannel.1 has MAC 02:00:00:00:00:77 for 10.244.2.0/24, not 02:00:00:00:00:02');
    expect(check.evaluate(overlayScene({ kernel })).map(({ about }) => about)).toEqual([[`subnet:${subnetOf(2)}`]]);
  });

  it('corrects the entry of a known peer by itself', () => {
    expect(check.evaluate(overlayScene({ kernel: ofPeer2({ mac: '02:00:00:00:00:77' }) }))[0]?.remedy).toMatchObject({
      commands: ['ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:02 nud permanent dev flannel.1'],
      automatic: 'yes',
    });
  });

  it('finds an entry that is right and will be asked for again', () => {
    expect(summaryOf({ kernel: ofPeer2({ isPermanent: false }) })).toBe(
      'the neighbour entry of 10.244.2.0/24 on flannel.1 is not permanent',
    );
  });

  it('deletes an entry of nobody only after a question', () => {
    const parts = { kernel: withEntry(NOBODYS) };
    expect(summaryOf(parts)).toBe('1 neighbour entry of nobody: 10.244.99.0 lladdr 02:00:00:00:00:99');
    expect(check.evaluate(overlayScene(parts))[0]?.remedy).toMatchObject({
      commands: ['ip neigh del 10.244.99.0 dev flannel.1'],
      automatic: 'ask',
    });
  });

  it('leaves an entry alone whose subnet is leased in a way that cannot be programmed', () => {
    const lease = aLease(99);
    const moreLeases = [{ ...lease, attributes: { ...lease.attributes, vtep: null } }];
    expect(check.evaluate(overlayScene({ kernel: withEntry(NOBODYS), moreLeases }))).toEqual([]);
  });

  it('does not mistake an entry that the kernel asked for in vain for a stale one', () => {
    expect(check.evaluate(overlayScene({ kernel: ofPeer2({ mac: null, isPermanent: false }) }))).toEqual([]);
  });

  it("does not mistake the kernel's own entries for stale ones", () => {
    const multicast = { ...NOBODYS, ip: 'ff02::16', mac: '33:33:00:00:00:16', isPermanent: false };
    expect(check.evaluate(overlayScene({ kernel: withEntry(multicast) }))).toEqual([]);
  });
});

function summaryOf(parts: SceneParts): string | undefined {
  const [first, ...rest] = check.evaluate(overlayScene(parts)).map(({ values }) => values);
  return first && check.say.en.summary([first, ...rest]);
}

function ofPeer2(change: Partial<NeighbourEntry>): (healthy: ActualOverlay) => ActualOverlay {
  return (healthy) => ({
    ...healthy,
    neighbours: healthy.neighbours.map((entry) => (entry.ip === '10.244.2.0' ? { ...entry, ...change } : entry)),
  });
}

function withEntry(entry: NeighbourEntry): (healthy: ActualOverlay) => ActualOverlay {
  return (healthy) => ({ ...healthy, neighbours: [...healthy.neighbours, entry] });
}
