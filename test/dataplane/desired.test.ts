import { describe, expect, it } from 'vitest';
import { renderPlan } from '../../src/dataplane/batch.ts';
import { holdsTest } from '../../src/dataplane/holds.ts';
import { planOverlay } from '../../src/dataplane/plan.ts';
import { AbsentError } from '../../src/errors.ts';
import type { LeaseRecord } from '../../src/store/store.ts';
import { aConfig, actualOf, aDesired, aLease, aVxlan, entriesOf, NOTHING } from './builders.ts';

describe('desiredOverlay', () => {
  it('wants link and address of the own lease', () => {
    const desired = aDesired({ leases: [aLease(1)] });
    expect(desired.entries.map(({ entry }) => entry)).toEqual([
      {
        kind: 'link',
        device: 'flannel.1',
        vni: 1,
        port: null,
        local: '192.168.9.1',
        underlay: 'u0',
        mtuBytes: 1450,
        mac: '02:00:00:00:00:01',
        learning: false,
        gbp: false,
        isUp: true,
      },
      { kind: 'address', device: 'flannel.1', address: '10.244.1.0/32' },
    ]);
  });

  it('wants neighbour, forwarding entry and route for each peer', () => {
    const desired = aDesired({ own: null, leases: [aLease(2)] });
    expect(desired.entries.map(({ entry }) => entry)).toEqual([
      { kind: 'neighbour', device: 'flannel.1', ip: '10.244.2.0', mac: '02:00:00:00:00:02', isPermanent: true },
      { kind: 'fdb', device: 'flannel.1', mac: '02:00:00:00:00:02', dst: '192.168.9.2', isPermanent: true },
      { kind: 'route', dst: '10.244.2.0/24', via: '10.244.2.0', device: 'flannel.1', isOnlink: true, metric: 0 },
    ]);
  });

  it('wants the route alone for a peer on a link of this host', () => {
    const config = aConfig({ backend: aVxlan({ directRouting: true }) });
    const desired = aDesired({ config, own: null, leases: [aLease(2)], isDirect: () => true });
    expect(desired.entries.map(({ entry }) => entry)).toEqual([
      { kind: 'route', dst: '10.244.2.0/24', via: '192.168.9.2', device: null, isOnlink: false, metric: 0 },
    ]);
    expect(desired.peers[0]?.isDirect).toBe(true);
  });

  it.each([
    { what: 'that of the underlay', outerMtuBytes: null, links: [1450, 1430] },
    { what: 'a smaller outer MTU', outerMtuBytes: 1400, links: [1350, 1350] },
    { what: 'an outer MTU that leaves room for IPv6', outerMtuBytes: 1480, links: [1430, 1430] },
    { what: 'more than the underlay carries', outerMtuBytes: 9000, links: [1450, 1430] },
  ])('wants the MTU the kernel gives for $what', ({ outerMtuBytes, links }) => {
    const config = aConfig({ enableIPv6: true, backend: aVxlan({ outerMtuBytes }) });
    expect(entriesOf(aDesired({ config }), 'link').map((link) => link.mtuBytes)).toEqual(links);
  });

  it('names both families of a peer by the same subject', () => {
    const desired = aDesired({ config: aConfig({ enableIPv6: true }), leases: [aLease(2)] });
    const subjects = desired.entries.flatMap(({ subject }) => (subject === 'node' ? [] : [subject.subnet]));
    expect(subjects).toEqual(Array.from({ length: 6 }, () => '10.244.2.0/24'));
    expect(desired.peers).toMatchObject([{ subnet: '10.244.2.0/24', ipv6Subnet: 'fc00:0:0:2::/64' }]);
  });

  it('takes no lease with an own public IP for a peer', () => {
    const old = aLease(9, {}, { publicIp: '192.168.9.1' });
    expect(aDesired({ own: null, leases: [aLease(1), old] })).toMatchObject({ peers: [], ignored: [] });
    const reason = "publishes this node's own public IP 192.168.9.1";
    expect(aDesired({ leases: [aLease(1), old] })).toMatchObject({ peers: [], ignored: [{ key: old.key, reason }] });
  });

  it('takes nobody for a peer who publishes its own VTEP MAC', () => {
    const twin = aLease(2, {}, { vtep: { vni: 1, mac: '02:00:00:00:00:01' } });
    expect(aDesired({ leases: [twin] })).toMatchObject({
      peers: [],
      ignored: [{ reason: "publishes this node's own VTEP MAC 02:00:00:00:00:01 (from 192.168.9.2)" }],
    });
  });

  it('takes nobody for a peer who holds a subnet this node uses', () => {
    const desired = aDesired({ own: null, ownSubnets: ['10.244.2.0/32'], leases: [aLease(2)] });
    expect(desired.peers).toEqual([]);
    expect(desired.ignored[0]?.reason).toContain('overlaps this node');
  });

  it('tells who else holds its own subnet', () => {
    const thief = aLease(2, { subnet: '10.244.1.0/24' });
    expect(aDesired({ leases: [thief] }).ignored).toEqual([
      {
        key: thief.key,
        reason: 'this node\'s own subnet 10.244.1.0/24 is held by another (published by "192.168.9.2")',
      },
    ]);
  });

  it('gives a VTEP MAC that two peers publish to the first, so that it does not change to and fro', () => {
    const twin = aLease(3, {}, { vtep: { vni: 1, mac: '02:00:00:00:00:02' } });
    const desired = aDesired({ leases: [aLease(2), twin] });
    expect(entriesOf(desired, 'fdb').map(({ dst }) => dst)).toEqual(['192.168.9.2']);
    expect(desired.ignored).toMatchObject([{ key: '10.244.3.0/24' }]);
  });

  it('leaves a VTEP MAC to the peer that the kernel has it for, wherever in the list a stranger is', () => {
    const twin = aLease(2, {}, { vtep: { vni: 1, mac: '02:00:00:00:00:03' } });
    const isHeld = holdsTest(actualOf(aDesired({ leases: [aLease(3)] })));
    const desired = aDesired({ leases: [twin, aLease(3)], isHeld });
    expect(entriesOf(desired, 'fdb').map(({ dst }) => dst)).toEqual(['192.168.9.3']);
    expect(desired.ignored).toMatchObject([{ key: '10.244.2.0/24' }]);
  });

  it('lets two leases of one host share their forwarding entry, and misses nothing', () => {
    const { attributes } = aLease(2);
    const desired = aDesired({ leases: [aLease(2), aLease(3, {}, attributes)] });
    expect(desired.entries.filter(({ entry }) => entry.kind === 'fdb')).toHaveLength(1);
    expect(desired.ignored).toEqual([]);
  });

  it('is absent for another backend', () => {
    expect(() => aDesired({ config: aConfig({ backend: { type: 'other', name: 'host-gw' } }) })).toThrow(AbsentError);
  });

  const hostile: readonly (readonly [string, LeaseRecord, RegExp])[] = [
    [
      'a MAC with a second line',
      aLease(2, {}, { vtep: { vni: 1, mac: '02:00:00:00:00:02\nroute add default' } }),
      /no unicast MAC/,
    ],
    ['a multicast MAC', aLease(2, {}, { vtep: { vni: 1, mac: '01:00:5e:00:00:01' } }), /no unicast MAC/],
    ['no MAC', aLease(2, {}, { vtep: null }), /no VTEP MAC/],
    ['words after the public IP', aLease(2, {}, { publicIp: '192.168.9.2 dev lo' }), /no IPv4 address/],
    ['a multicast public IP', aLease(2, {}, { publicIp: '224.0.0.1' }), /no IPv4 address/],
    ['an IPv6 public IP in the place of IPv4', aLease(2, {}, { publicIp: 'fd00::2' }), /no IPv4 address/],
    ['the default route as subnet', aLease(2, { subnet: '0.0.0.0/0' }), /outside/],
    ['the underlay as subnet', aLease(2, { subnet: '192.168.9.0/24' }), /outside/],
    ['a subnet with host bits', aLease(2, { subnet: '10.244.2.7/24' }), /no network/],
    ['a subnet with a second line', aLease(2, { subnet: '10.244.2.0/24\nlink del lo' }), /no network/],
    ['a VNI that is none', aLease(2, {}, { vtep: { vni: 2 ** 24, mac: '02:00:00:00:00:02' } }), /VNI 16777216/],
    [
      'another backend with a control character',
      aLease(2, {}, { backendType: 'host\u001b[31m' }),
      /"host\\u001b\[31m"/,
    ],
  ];

  it.each(hostile)('lets nothing of a lease with %s into a batch', (_name, lease, reason) => {
    const desired = aDesired({ leases: [aLease(1), lease, aLease(3)] });
    expect(desired.ignored).toEqual([{ key: lease.key, reason: expect.stringMatching(reason) }]);
    expect(desired.peers.map(({ subnet }) => subnet)).toEqual(['10.244.3.0/24']);
    expect(renderPlan(planOverlay(desired, NOTHING, { removals: true })).join('\n')).not.toMatch(
      /10\.244\.2|192\.168\.9\.2|default/,
    );
  });

  it('programs the family that is in order when the other is not', () => {
    const half = aLease(2, {}, { vtep: null });
    const desired = aDesired({ config: aConfig({ enableIPv6: true }), leases: [half] });
    expect(desired.peers).toMatchObject([{ subnet: 'fc00:0:0:2::/64', overlayIp: 'fc00:0:0:2::' }]);
    expect(desired.ignored).toHaveLength(1);
  });
});
