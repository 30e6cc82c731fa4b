import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActualOverlay, Entry, Operation, RouteEntry } from '../../src/dataplane/entry.ts';
import { entryKey } from '../../src/dataplane/key.ts';
import { planOverlay } from '../../src/dataplane/plan.ts';
import { aConfig, actualOf, aDesired, aLease, aVxlan } from './builders.ts';

/** A kernel that does what it is told: one object a key. */
function carryOut(actual: ActualOverlay, operations: readonly Operation[]): ActualOverlay {
  const kernel = new Map<string, Entry>();
  const there = [...actual.links, ...actual.addresses, ...actual.neighbours, ...actual.fdb, ...actual.routes];
  for (const entry of there) kernel.set(entryKey(entry), entry);
  for (const { verb, entry, recreate, before } of operations) {
    if (recreate === true) {
      for (const [key, other] of kernel) if (other.device === entry.device) kernel.delete(key);
    }
    if (verb === 'delete') kernel.delete(entryKey(entry));
    if (verb === 'replace' && before !== undefined) kernel.delete(entryKey(before));
    if (verb === 'add' || verb === 'replace') kernel.set(entryKey(entry), made(entry));
  }
  const entries = [...kernel.values()].map((entry) => ({ entry, subject: 'node' as const }));
  return actualOf({ entries, devices: [], networks: [], peers: [], ignored: [] });
}

function made(entry: Entry): Entry {
  return entry.kind === 'route' ? { ...entry, device: entry.device ?? 'u0', protocol: 'boot' } : entry;
}

const peer = fc.integer({ min: 2, max: 12 });
const state = fc.record({
  peers: fc.uniqueArray(peer, { maxLength: 8 }),
  vni: fc.constantFrom(1, 2),
  gbp: fc.boolean(),
  enableIPv6: fc.boolean(),
  direct: fc.uniqueArray(peer, { maxLength: 3 }),
});
const foreignRoute = fc.record({
  at: peer,
  metric: fc.constantFrom(0, 5, 100),
  via: fc.constantFrom(null, '192.168.9.200'),
});

type State = typeof state extends fc.Arbitrary<infer T> ? T : never;

const desiredOf = ({ peers, vni, gbp, enableIPv6, direct }: State) =>
  aDesired({
    config: aConfig({ enableIPv6, backend: aVxlan({ vni, gbp, directRouting: true }) }),
    leases: [1, ...peers].map((index) => aLease(index)),
    isDirect: (publicIp) =>
      direct.some((index) => publicIp.endsWith(`.${index}`) || publicIp.endsWith(`::${index.toString(16)}`)),
  });

const foreignOf = ({ at, metric, via }: { at: number; metric: number; via: string | null }): RouteEntry => ({
  kind: 'route',
  dst: `10.244.${at}.0/24`,
  via,
  device: 'eth7',
  isOnlink: false,
  metric,
  protocol: 'static',
});

describe('planning and carrying out', () => {
  it('comes to rest after one round, whatever was there before', () => {
    const property = fc.property(state, state, fc.array(foreignRoute, { maxLength: 3 }), (before, after, foreign) => {
      const desired = desiredOf(after);
      const start = actualOf(desiredOf(before));
      const kernel = carryOut(
        {
          ...start,
          routes: [
            ...start.routes.map((route) => ({ ...route, device: route.device ?? 'u0' })),
            ...foreign.map(foreignOf),
          ],
        },
        [],
      );
      const first = planOverlay(desired, kernel, { removals: true });
      const second = planOverlay(desired, carryOut(kernel, first.operations), { removals: true });
      expect(second.operations.filter(({ verb }) => verb !== 'keep' && verb !== 'foreign')).toEqual([]);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('never deletes or replaces an entry of somebody else', () => {
    const property = fc.property(state, state, fc.array(foreignRoute, { maxLength: 3 }), (before, after, foreign) => {
      const routes = foreign.map(foreignOf);
      const start = actualOf(desiredOf(before));
      const { operations } = planOverlay(
        desiredOf(after),
        { ...start, routes: [...start.routes, ...routes] },
        { removals: true },
      );
      const touched = operations.flatMap(({ verb, entry, before: old }) =>
        verb === 'delete' ? [entry] : verb === 'replace' ? [old] : [],
      );
      for (const route of routes) expect(touched).not.toContainEqual(route);
    });
    fc.assert(property, { numRuns: 300 });
  });
});
