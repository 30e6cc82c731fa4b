import { describe, expect, it } from 'vitest';
import { renderChanges } from '../../src/dataplane/batch.ts';
import type { ActualOverlay, DesiredOverlay, RouteEntry } from '../../src/dataplane/entry.ts';
import { planOverlay } from '../../src/dataplane/plan.ts';
import { aConfig, actualOf, aDesired, aLease, aVxlan, changesOf, NOTHING } from './builders.ts';

const shown = (desired: DesiredOverlay, actual: ActualOverlay, removals = true) =>
  renderChanges({ operations: changesOf(planOverlay(desired, actual, { removals })) });

const aRoute = (values: Partial<RouteEntry>): RouteEntry => ({
  kind: 'route',
  dst: '10.244.2.0/24',
  via: null,
  device: 'u0',
  isOnlink: false,
  metric: 0,
  protocol: 'boot',
  ...values,
});

const withRoutes = (actual: ActualOverlay, ...routes: RouteEntry[]): ActualOverlay => ({
  ...actual,
  routes: [...actual.routes, ...routes],
});

describe('planOverlay', () => {
  it('has nothing to do where everything is there', () => {
    const desired = aDesired({ config: aConfig({ enableIPv6: true }) });
    expect(shown(desired, actualOf(desired))).toEqual([]);
  });

  it('adds everything to an empty kernel, routes last', () => {
    const desired = aDesired({ leases: [aLease(2)] });
    expect(shown(desired, NOTHING).map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
      '+ ip link add',
      '+ ip link set',
      '+ ip address add',
      '+ bridge fdb replace',
      '+ ip neigh replace',
      '+ ip route add',
    ]);
  });

  it('deletes nothing unless removals are allowed', () => {
    const actual = actualOf(aDesired());
    expect(shown(aDesired({ leases: [] }), actual, false)).toEqual([]);
    expect(shown(aDesired({ leases: [] }), actual)).toHaveLength(6);
  });

  it('never deletes on devices of another VNI', () => {
    const actual = actualOf(aDesired({ config: aConfig({ backend: aVxlan({ vni: 7 }) }) }));
    expect(shown(aDesired({ leases: [] }), actual).filter((line) => line.startsWith('-'))).toEqual([]);
  });

  it('takes a route over from a device of an earlier VNI', () => {
    const desired = aDesired({ leases: [aLease(2)] });
    const before = actualOf(aDesired({ leases: [aLease(2)], config: aConfig({ backend: aVxlan({ vni: 7 }) }) }));
    const routes = shown(desired, before).filter((line) => line.includes('ip route'));
    expect(routes).toEqual([
      '- ip route del 10.244.2.0/24 via 10.244.2.0 dev flannel.7 onlink',
      '+ ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
    ]);
  });

  it('sends what is for no pod nowhere, where that is wanted', () => {
    const desired = aDesired({ hasBlackhole: true, config: aConfig({ enableIPv6: true }) });
    expect(shown(desired, NOTHING).filter((line) => line.includes('blackhole'))).toEqual([
      '+ ip route add blackhole 10.244.1.0/24 metric 0',
      '+ ip route add blackhole fc00:0:0:1::/64 metric 1024',
    ]);
    expect(shown(desired, actualOf(desired))).toEqual([]);
  });

  it('takes a blackhole away where something else leads to the subnet, and only its own', () => {
    const desired = aDesired({ hasBlackhole: true });
    const bridge = aRoute({ dst: '10.244.1.0/24', device: 'cni0', protocol: 'kernel' });
    expect(shown(desired, withRoutes(actualOf(desired), bridge))).toEqual([
      '- ip route del blackhole 10.244.1.0/24 metric 0',
    ]);
    const bare = actualOf(aDesired());
    expect(shown(desired, withRoutes(bare, bridge))).toEqual([]);
    const daemons = aRoute({ dst: '10.244.1.0/24', device: null, type: 'blackhole', protocol: 'bird' });
    expect(shown(aDesired(), withRoutes(bare, daemons))).toEqual([]);
  });

  it('leaves what the kernel made by itself', () => {
    const desired = aDesired({ config: aConfig({ enableIPv6: true }) });
    const base = actualOf(desired);
    const device = 'flannel-v6.1';
    const actual: ActualOverlay = {
      ...withRoutes(
        base,
        aRoute({ dst: 'fc00:0:0:1::/128', device, metric: 256, protocol: 'kernel' }),
        aRoute({ dst: 'fe80::/64', device, metric: 256, protocol: 'kernel' }),
      ),
      addresses: [...base.addresses, { kind: 'address', device, address: 'fe80::1/64' }],
      neighbours: [
        ...base.neighbours,
        { kind: 'neighbour', device: 'flannel.1', ip: '10.244.9.9', mac: null, isPermanent: false },
      ],
      fdb: [
        ...base.fdb,
        { kind: 'fdb', device: 'flannel.1', mac: '00:00:00:00:00:00', dst: '192.168.9.9', isPermanent: true },
        { kind: 'fdb', device: 'flannel.1', mac: '33:33:00:00:00:01', dst: '192.168.9.9', isPermanent: true },
        { kind: 'fdb', device: 'flannel.1', mac: '02:00:00:00:aa:aa', dst: '192.168.9.9', isPermanent: false },
      ],
    };
    expect(shown(desired, actual)).toEqual([]);
  });

  it('does not touch the addresses of a node without a lease', () => {
    expect(shown(aDesired({ own: null }), actualOf(aDesired({ own: null, leases: [aLease(2), aLease(3)] })))).toEqual(
      shown(aDesired({ own: null }), actualOf(aDesired())),
    );
  });

  it('calls a route of the same metric to a peer foreign', () => {
    const foreign = aRoute({ via: '192.168.9.77' });
    const desired = aDesired({ leases: [aLease(2)] });
    const actual = { ...actualOf(desired), routes: [foreign] };
    const [operation] = changesOf(planOverlay(desired, actual, { removals: true }));
    expect(operation).toMatchObject({ verb: 'foreign', before: foreign, entry: { via: '10.244.2.0' } });
  });

  it('calls a connected network in the place of a peer foreign', () => {
    const desired = aDesired({ leases: [aLease(2)] });
    const actual = { ...actualOf(desired), routes: [aRoute({ device: 'docker0', protocol: 'kernel' })] };
    expect(changesOf(planOverlay(desired, actual, { removals: true })).map(({ verb }) => verb)).toEqual(['foreign']);
  });

  it('leaves a foreign route that the kernel prefers less and adds ours', () => {
    const desired = aDesired({ leases: [aLease(2)] });
    const actual = { ...actualOf(desired), routes: [aRoute({ metric: 100 })] };
    expect(shown(desired, actual)).toEqual(['+ ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink']);
  });

  it('tells a foreign route that shadows one of ours', () => {
    const desired = aDesired({ config: aConfig({ enableIPv6: true }), leases: [aLease(2)] });
    const shadow = aRoute({ dst: 'fc00:0:0:2::/64', metric: 10 });
    const plan = planOverlay(desired, withRoutes(actualOf(desired), shadow), { removals: true });
    expect(changesOf(plan)).toMatchObject([{ verb: 'foreign', before: shadow }]);
  });

  it('does not take a route of a routing daemon via a peer for a direct route of ours', () => {
    const desired = aDesired({ leases: [aLease(2)] });
    const actual = { ...actualOf(desired), routes: [aRoute({ via: '192.168.9.2', protocol: 'bird' })] };
    expect(changesOf(planOverlay(desired, actual, { removals: true })).map(({ verb }) => verb)).toEqual(['foreign']);
  });

  it('marks what is only added again because its link is made anew', () => {
    const before = aDesired({ leases: [aLease(2)] });
    const desired = aDesired({ leases: [aLease(2)], config: aConfig({ backend: aVxlan({ gbp: true }) }) });
    const { operations } = planOverlay(desired, actualOf(before), { removals: true });
    expect(operations[0]).toMatchObject({ verb: 'replace', recreate: true });
    expect(operations.slice(1).map(({ verb, before }) => [verb, before !== undefined])).toEqual([
      ['add', true],
      ['add', true],
      ['add', true],
      ['add', true],
    ]);
  });

  it.each([
    ['a link bound to no interface', { underlay: null }],
    ['a link without source address', { local: null }],
  ])('keeps %s, as flannel does', (_name, values) => {
    const desired = aDesired();
    const actual = actualOf(desired);
    const links = actual.links.map((link) => ({ ...link, ...values }));
    expect(shown(desired, { ...actual, links })).toEqual([]);
  });

  it.each([
    ['VNI', { vni: 2 }],
    ['port', { port: 4789 }],
    ['source address', { local: '192.168.9.9' }],
    ['interface', { underlay: 'eth9' }],
    ['GBP', { gbp: true }],
  ])('makes a link with another %s anew', (_name, values) => {
    const desired = aDesired();
    const actual = actualOf(desired);
    const links = actual.links.map((link) => ({ ...link, ...values }));
    expect(planOverlay(desired, { ...actual, links }, { removals: true }).operations[0]).toMatchObject({
      verb: 'replace',
      recreate: true,
    });
  });
});
