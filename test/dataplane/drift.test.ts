import { describe, expect, it } from 'vitest';
import { allGone, changeLink, changesOf, entriesLeft, ignoredPeers, linkStates } from '../../src/dataplane/drift.ts';
import { carry, NO_RISK } from '../../src/dataplane/drift-remedy.ts';
import { aLease, both, DEVICE, macOf, overlayScene, withLinks, withoutEntries } from '../support/overlay-builders.ts';

const ANEW = withLinks({ port: 4789 });
const WITHOUT_FDB_OF_2 = withoutEntries(['fdb'], (entry) => entry.kind === 'fdb' && entry.mac === macOf(2));

describe('drift', () => {
  it('tells what goes with a link that is made anew as what it is now', () => {
    const { plan } = overlayScene({ kernel: both(ANEW, WITHOUT_FDB_OF_2) });
    expect(changesOf(plan, 'fdb').map(({ verb }) => verb)).toEqual(['add', 'keep']);
  });

  it('tells a wrong entry on a link that is made anew as wrong', () => {
    const { plan } = overlayScene({
      peers: 1,
      kernel: (healthy) => ({
        ...ANEW(healthy),
        fdb: healthy.fdb.map((entry) => ({ ...entry, dst: '192.0.2.1' })),
      }),
    });
    expect(changesOf(plan, 'fdb').map(({ verb }) => verb)).toEqual(['replace']);
  });

  it('counts what is left in order on a device', () => {
    const { plan } = overlayScene({ kernel: WITHOUT_FDB_OF_2, peers: 3 });
    expect(entriesLeft(plan, DEVICE, ['fdb', 'route'])).toEqual({ fdb: 2, route: 3 });
  });

  it('knows what a link is also where it is in order', () => {
    const { plan, actual } = overlayScene();
    expect(linkStates(plan, actual).map((state) => state.actual?.device)).toEqual([DEVICE]);
  });

  it('changes of a link only what is named', () => {
    const [link] = overlayScene({ kernel: withLinks({ mtuBytes: 1400, isUp: false }) }).actual.links;
    expect(link && carry([changeLink(link, { isUp: true })], { automatic: 'ask', risk: NO_RISK }).commands).toEqual([
      'ip link set dev flannel.1 up',
    ]);
  });

  it('takes a lease that cannot be programmed for somebody', () => {
    const lease = aLease(9);
    const broken = { ...lease, attributes: { ...lease.attributes, vtep: null } };
    const { desired, leases } = overlayScene({ moreLeases: [broken] });
    expect([...ignoredPeers(desired, leases.records).subnets]).toEqual(['10.244.9.0/24']);
  });
});

describe('an edge from a link to an entry on it', () => {
  const because = allGone('route', (device) => ({ en: `of ${device}`, zh: `${device} 的` }));
  const own = { values: { device: DEVICE } };

  it('holds when none of the kind is left', () => {
    expect(because({ values: { device: DEVICE, left: { route: 0 } } }, own)?.en).toBe('of flannel.1');
  });

  it.each([
    ['one is left', { device: DEVICE, left: { route: 1 } }],
    ['nothing is said of the kind', { device: DEVICE, left: { neighbour: 0 } }],
    ['it is about another device', { device: 'flannel-v6.1', left: { route: 0 } }],
    ['it says nothing at all', null],
  ])('does not hold when %s', (_, values) => {
    expect(because({ values }, own)).toBeUndefined();
  });
});
