import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/peers/route-stale.ts';
import type { ActualOverlay, RouteEntry } from '../../../src/dataplane/entry.ts';
import type { LeaseRecord } from '../../../src/store/store.ts';
import { overlayScene } from '../../support/overlay-builders.ts';

describe('route-stale', () => {
  it('holds while every route leads to a leased subnet', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('names the subnet that nobody leases', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withRoute({}) }));
    expect(finding?.about).toEqual(['subnet:10.244.200.0/24']);
    expect(finding && check.say.en.summary([finding.values])).toBe(
      '1 route leads to a subnet that nobody leases: 10.244.200.0/24',
    );
  });

  it('deletes the route only after a question', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withRoute({}) }));
    expect(finding?.remedy).toMatchObject({
      commands: ['ip route del 10.244.200.0/24 via 10.244.200.0 dev flannel.1 onlink'],
      automatic: 'ask',
    });
  });

  it('finds a route to the own subnet through flannel.1, which takes it away from cni0', () => {
    const kernel = withRoute({ dst: '10.244.1.0/24', via: '10.244.1.0' });
    expect(check.evaluate(overlayScene({ kernel })).map(({ about }) => about)).toEqual([['subnet:10.244.1.0/24']]);
  });

  it('does not mistake a lease that cannot be read for none', () => {
    const record: LeaseRecord = {
      kind: 'unreadable-value',
      key: '10.244.200.0-24',
      expiresAt: null,
      etcdLease: null,
      modRevision: '7',
      node: null,
      subnet: '10.244.200.0/24',
      ipv6Subnet: null,
      value: 'garbage',
      reason: 'no JSON',
    };
    expect(check.evaluate(overlayScene({ kernel: withRoute({}), moreLeases: [record] }))).toEqual([]);
  });

  it("does not mistake an administrator's route for one of the overlay", () => {
    const kernel = withRoute({ via: '192.168.77.254', device: 'eth0', isOnlink: false });
    expect(check.evaluate(overlayScene({ kernel }))).toEqual([]);
  });

  it('leaves routes outside the network alone', () => {
    expect(check.evaluate(overlayScene({ kernel: withRoute({ dst: '10.99.0.0/24' }) }))).toEqual([]);
  });
});

function withRoute(parts: Partial<RouteEntry>): (healthy: ActualOverlay) => ActualOverlay {
  const route: RouteEntry = {
    kind: 'route',
    dst: '10.244.200.0/24',
    via: '10.244.200.0',
    device: 'flannel.1',
    isOnlink: true,
    metric: 0,
    protocol: 'boot',
    ...parts,
  };
  return (healthy) => ({ ...healthy, routes: [...healthy.routes, route] });
}
