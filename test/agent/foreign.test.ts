import { describe, expect, it } from 'vitest';
import { foreignProblem } from '../../src/agent/foreign.ts';
import type { Operation, RouteEntry } from '../../src/dataplane/entry.ts';

function route(dst: string, values: Partial<RouteEntry> = {}): RouteEntry {
  return { kind: 'route', dst, via: null, device: null, isOnlink: false, metric: 0, ...values };
}

function foreign(dst: string, before: RouteEntry): Operation {
  return { verb: 'foreign', entry: route(dst, { device: 'flannel.1' }), before, subject: 'node' };
}

const STATIC = { via: '192.168.9.254', device: 'eth0', protocol: 'static' };

describe("somebody else's route in the place of a peer's", () => {
  it('is told with the peer and what is there', () => {
    const operations = [foreign('10.244.2.0/24', route('10.244.2.0/24', STATIC))];
    expect(foreignProblem({ operations })).toBe(
      "somebody else's route is in the way of peer 10.244.2.0/24: 10.244.2.0/24 via 192.168.9.254 dev eth0 proto static",
    );
  });

  it('is told as a blackhole, and how many more there are', () => {
    const blackhole = foreign('10.244.2.0/24', route('10.244.2.0/24', { type: 'blackhole', metric: 7 }));
    const operations = [blackhole, foreign('10.244.3.0/24', route('10.244.3.0/24', STATIC))];
    expect(foreignProblem({ operations })).toMatch(/: blackhole 10\.244\.2\.0\/24 metric 7, and 1 more$/);
  });

  it('is nothing to tell of where there is none', () => {
    const kept: Operation = { verb: 'keep', entry: route('10.244.2.0/24'), subject: 'node' };
    expect(foreignProblem({ operations: [kept] })).toBeUndefined();
  });
});
