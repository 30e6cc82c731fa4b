import { describe, expect, it } from 'vitest';
import down from '../../../src/checks/link/flannel-link-down.ts';
import check from '../../../src/checks/peers/route-missing.ts';
import type { ActualOverlay, RouteEntry } from '../../../src/dataplane/entry.ts';
import {
  both,
  overlayScene,
  reasonBetween,
  type SceneParts,
  subnetOf,
  withLinks,
  withoutEntries,
} from '../../support/overlay-builders.ts';

const ALL = withoutEntries(['route']);
const OF_PEER_2 = withoutEntries(['route'], (entry) => entry.kind === 'route' && entry.dst === subnetOf(2));

describe('route-missing', () => {
  it('holds while every peer has its route', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('holds where the peers are routed directly', () => {
    expect(check.evaluate(overlayScene({ directRouting: true }))).toEqual([]);
  });

  it('does not blame one peer for another', () => {
    const findings = check.evaluate(overlayScene({ kernel: OF_PEER_2, peers: 3 }));
    expect(findings.map(({ about }) => about)).toEqual([[`subnet:${subnetOf(2)}`]]);
  });

  it('counts the peers', () => {
    expect(summaryOf({ kernel: ALL })).toBe('2 peers have no route: 10.244.2.0/24, 10.244.3.0/24');
  });

  it("adds exactly that peer's route", () => {
    expect(check.evaluate(overlayScene({ kernel: OF_PEER_2 }))[0]?.remedy).toMatchObject({
      commands: ['ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink'],
      automatic: 'yes',
    });
  });

  it('adds a direct route via the public IP of the peer', () => {
    const [finding] = check.evaluate(overlayScene({ directRouting: true, kernel: OF_PEER_2 }));
    expect(finding?.remedy?.commands).toEqual(['ip route add 10.244.2.0/24 via 192.168.77.2']);
  });

  it('says where a route of ours leads that leads elsewhere', () => {
    expect(summaryOf({ kernel: routeTo2({ via: '10.244.9.0' }) })).toBe(
      'the route to 10.244.2.0/24 is via 10.244.9.0 dev flannel.1 onlink, not via 10.244.2.0 dev flannel.1 onlink',
    );
  });

  it("tells somebody else's route and does not touch it", () => {
    const parts = { kernel: routeTo2({ via: '192.168.77.254', device: 'eth0', isOnlink: false }) };
    expect(summaryOf(parts)).toBe('another route to 10.244.2.0/24 is preferred: via 192.168.77.254 dev eth0');
    expect(check.evaluate(overlayScene(parts))[0]?.remedy).toMatchObject({ actions: [], automatic: 'no' });
  });

  it('does not mistake a missing neighbour entry for a missing route', () => {
    expect(check.evaluate(overlayScene({ kernel: withoutEntries(['neighbour', 'fdb']) }))).toEqual([]);
  });

  const whenDown = (lost: typeof ALL) => {
    const scene = overlayScene({ kernel: both(withLinks({ isUp: false }), lost) });
    const of = { cause: down.evaluate(scene)[0], own: check.evaluate(scene)[0] };
    return reasonBetween(check.causedBy, down.id, of);
  };

  it('follows from a device that is down', () => {
    expect(whenDown(withoutEntries(['neighbour', 'route']))).toBe(
      'flannel.1 is down, and the kernel flushed its routes',
    );
  });

  it('is a fault of its own on another device than the one that is down', () => {
    const scene = overlayScene({ directRouting: true, kernel: both(withLinks({ isUp: false }), OF_PEER_2) });
    const of = { cause: down.evaluate(scene)[0], own: check.evaluate(scene)[0] };
    expect(reasonBetween(check.causedBy, down.id, of)).toBeUndefined();
  });
});

function summaryOf(parts: SceneParts): string | undefined {
  const [first, ...rest] = check.evaluate(overlayScene(parts)).map(({ values }) => values);
  return first && check.say.en.summary([first, ...rest]);
}

function routeTo2(change: Partial<RouteEntry>): (healthy: ActualOverlay) => ActualOverlay {
  return (healthy) => ({
    ...healthy,
    routes: healthy.routes.map((route) => (route.dst === subnetOf(2) ? { ...route, ...change } : route)),
  });
}
