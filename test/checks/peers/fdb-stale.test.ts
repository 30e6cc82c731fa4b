import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/peers/fdb-stale.ts';
import type { ActualOverlay, FdbEntry } from '../../../src/dataplane/entry.ts';
import { aLease, macOf, overlayScene, type SceneParts, subnetOf } from '../../support/overlay-builders.ts';

const NOBODYS: FdbEntry = {
  kind: 'fdb',
  device: 'flannel.1',
  mac: '02:00:00:00:00:99',
  dst: '192.168.77.99',
  isPermanent: true,
};

describe('fdb-stale', () => {
  it('holds while every entry leads to its peer', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('says where packets for a peer go instead', () => {
    const kernel = ofPeer2({ dst: '192.168.77.99' });
    expect(summaryOf({ kernel })).toBe('flannel.1 sends packets for 10.244.2.0/24 to 192.168.77.99, not 192.168.77.2');
    expect(check.evaluate(overlayScene({ kernel })).map(({ about }) => about)).toEqual([[`subnet:${subnetOf(2)}`]]);
  });

  it('corrects the entry of a known peer by itself', () => {
    expect(check.evaluate(overlayScene({ kernel: ofPeer2({ dst: '192.168.77.99' }) }))[0]?.remedy).toMatchObject({
      commands: ['bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 192.168.77.2 self permanent'],
      automatic: 'yes',
    });
  });

  it('finds an entry that is right and will age', () => {
    expect(summaryOf({ kernel: ofPeer2({ isPermanent: false }) })).toBe(
      'the forwarding entry of 10.244.2.0/24 on flannel.1 is not permanent',
    );
  });

  it('deletes an entry of nobody only after a question', () => {
    const parts = { kernel: withEntry(NOBODYS) };
    expect(summaryOf(parts)).toBe('1 forwarding entry of nobody: 02:00:00:00:00:99 to 192.168.77.99');
    expect(check.evaluate(overlayScene(parts))[0]?.remedy).toMatchObject({
      commands: ['bridge fdb del 02:00:00:00:00:99 dev flannel.1 dst 192.168.77.99 self'],
      automatic: 'ask',
    });
  });

  it('does not mistake a learned entry for a stale one', () => {
    expect(check.evaluate(overlayScene({ kernel: withEntry({ ...NOBODYS, isPermanent: false }) }))).toEqual([]);
  });

  it('does not mistake the entry for multicast for a stale one', () => {
    expect(check.evaluate(overlayScene({ kernel: withEntry({ ...NOBODYS, mac: '33:33:00:00:00:01' }) }))).toEqual([]);
  });

  it('leaves an entry alone whose node holds a lease that cannot be programmed', () => {
    const lease = aLease(99);
    const moreLeases = [{ ...lease, attributes: { ...lease.attributes, vtep: null } }];
    expect(check.evaluate(overlayScene({ kernel: withEntry(NOBODYS), moreLeases }))).toEqual([]);
  });

  it('does not mistake a missing entry for a stale one', () => {
    expect(check.evaluate(overlayScene({ kernel: (healthy) => ({ ...healthy, fdb: [] }) }))).toEqual([]);
  });
});

function summaryOf(parts: SceneParts): string | undefined {
  const [first, ...rest] = check.evaluate(overlayScene(parts)).map(({ values }) => values);
  return first && check.say.en.summary([first, ...rest]);
}

function ofPeer2(change: Partial<FdbEntry>): (healthy: ActualOverlay) => ActualOverlay {
  return (healthy) => ({
    ...healthy,
    fdb: healthy.fdb.map((entry) => (entry.mac === macOf(2) ? { ...entry, ...change } : entry)),
  });
}

function withEntry(entry: FdbEntry): (healthy: ActualOverlay) => ActualOverlay {
  return (healthy) => ({ ...healthy, fdb: [...healthy.fdb, entry] });
}
