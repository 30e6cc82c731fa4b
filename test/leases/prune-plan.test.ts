import { describe, expect, it } from 'vitest';
import { needsMeasuring, type PruneInput, planPrune } from '../../src/leases/prune-plan.ts';
import type { Silence } from '../../src/probe/silence-verdict.ts';
import type { LeaseRecord } from '../../src/store/store.ts';
import { judged, lease, MARGIN, malformed, unreadable } from './builders.ts';

interface Parts extends Partial<Omit<PruneInput, 'leases'>> {
  readonly silence?: Readonly<Record<string, Silence['verdict']>>;
  readonly scene?: Parameters<typeof judged>[1];
}

const KEY = '10.244.1.0-24';
const OVERDUE = lease(1, { ttl: 9 });
const here = { self: { addresses: ['192.0.2.1'], vtepMacs: [], subnetAddresses: [] } };

function planOf(records: readonly LeaseRecord[], { silence = {}, scene = {}, ...input }: Parts = {}) {
  const leases = judged(records, { ...scene, silence });
  const plan = planPrune({
    ...{ leases, marginSeconds: MARGIN, named: null, isForced: false, max: null, nodesProblem: null },
    ...input,
  });
  return {
    ...plan,
    deleted: plan.deletions.map(({ record }) => record.key),
    refused: plan.kept.filter(({ action }) => action === 'refuse').map(({ record }) => record.key),
    reasons: [...plan.deletions, ...plan.kept].flatMap(({ reasons }) => reasons.map(({ code }) => code)),
  };
}

const named = (parts: Parts = {}): Parts => ({ named: new Set([KEY]), ...parts });
const asked = (verdict: Silence['verdict'], parts: Parts = {}): Parts => ({ silence: { [KEY]: verdict }, ...parts });

describe('a prune plan without a named subnet', () => {
  it('deletes a key that flannel refuses and nothing would end', () => {
    expect(planOf([malformed('junk'), lease(2)])).toMatchObject({ deleted: ['junk'], reasons: ['malformed-key'] });
  });

  it('keeps a key that flannel refuses and that has an etcd lease', () => {
    expect(planOf([malformed('junk', { ttl: 500 })])).toMatchObject({ deleted: [], reasons: ['malformed-key-leased'] });
  });

  it('deletes an overdue lease whose owner is silent', () => {
    const plan = planOf([OVERDUE, lease(2)], asked('silent'));
    expect(plan).toMatchObject({ deleted: [KEY], reasons: ['overdue', 'owner-silent'] });
  });

  it.each(['answers', 'unknown'] as const)('keeps an overdue lease whose owner is measured as: %s', (verdict) => {
    expect(planOf([OVERDUE], asked(verdict)).deleted).toEqual([]);
  });

  it('keeps an overdue lease whose owner nobody asked', () => {
    expect(planOf([OVERDUE]).deleted).toEqual([]);
  });

  it('keeps a lease that was renewed in time, however silent its owner', () => {
    expect(planOf([lease(1)], asked('silent'))).toMatchObject({ deleted: [], kept: [] });
  });

  it('keeps an overdue lease of a silent owner whose address a Node has', () => {
    const nodes = { nameOf: new Map([['192.0.2.1', 'worker-1']]), notReady: new Map() };
    const plan = planOf([OVERDUE], asked('silent', { scene: { nodes } }));
    expect(plan).toMatchObject({ deleted: [], reasons: ['overdue', 'owner-silent', 'node-exists'] });
  });

  it('keeps an overdue lease of a silent owner while Kubernetes, which was named, cannot be asked', () => {
    expect(planOf([OVERDUE], asked('silent', { nodesProblem: 'connection refused' })).deleted).toEqual([]);
  });

  it('keeps a live lease outside the network, twice claimed and overlapped, and shows why to look', () => {
    const records: LeaseRecord[] = [
      lease(1),
      lease(2, { publicIp: '192.0.2.1', mac: '02:00:00:00:00:01' }),
      unreadable(3),
    ];
    records.push(lease(9, { key: '10.244.0.0-22' }));
    const plan = planOf(records, { scene: { network: '10.96.0.0/16' } });
    expect(plan.deleted).toEqual([]);
    expect(new Set(plan.reasons)).toEqual(
      new Set(['duplicate-ip', 'duplicate-mac', 'overlap', 'outside-network', 'unreadable-value']),
    );
  });

  it('keeps a reservation and says how to delete it', () => {
    expect(planOf([lease(1, { ttl: null })], asked('silent'))).toMatchObject({ deleted: [], reasons: ['reservation'] });
  });

  it('keeps the lease of this host, overdue and silent as it may be', () => {
    expect(planOf([OVERDUE], asked('silent', { scene: here })).deleted).toEqual([]);
  });
});

describe('a prune plan for a named subnet', () => {
  it('leaves every other lease alone', () => {
    const plan = planOf(
      [OVERDUE, lease(2, { ttl: 9 })],
      named({ silence: { [KEY]: 'silent', '10.244.2.0-24': 'silent' } }),
    );
    expect(plan.deleted).toEqual([KEY]);
  });

  it('deletes the lease of a silent owner with time left', () => {
    expect(planOf([lease(1)], named(asked('silent'))).deleted).toEqual([KEY]);
  });

  it('deletes a reservation, also one whose value does not parse', () => {
    expect(planOf([unreadable(1, { ttl: null })], named()).deleted).toEqual([KEY]);
  });

  it.each([lease(1), OVERDUE, lease(1, { ttl: null })])('refuses a lease whose owner answers', (record) => {
    expect(planOf([record], named(asked('answers')))).toMatchObject({ deleted: [], refused: [KEY] });
  });

  it('keeps, without refusing, a lease of which nobody knows', () => {
    expect(planOf([lease(1)], named(asked('unknown')))).toMatchObject({ deleted: [], refused: [] });
  });

  it.each(['answers', 'unknown'] as const)('deletes with --force although the owner is measured as: %s', (verdict) => {
    expect(planOf([lease(1)], named(asked(verdict, { isForced: true }))).deleted).toEqual([KEY]);
  });

  it('refuses the lease of this host, with --force too', () => {
    const plan = planOf([lease(1)], named({ isForced: true, scene: here }));
    expect(plan).toMatchObject({ deleted: [], refused: [KEY] });
  });

  it('keeps the lease of a silent owner whose address a Node has', () => {
    const nodes = { nameOf: new Map([['192.0.2.1', 'worker-1']]), notReady: new Map() };
    expect(planOf([lease(1)], named(asked('silent', { scene: { nodes } }))).deleted).toEqual([]);
  });
});

describe('the limit of a prune plan', () => {
  it.each([
    [1, 1],
    [9, 1],
    [10, 2],
    [100, 20],
  ])('is a fifth of %i leases: %i', (count, max) => {
    expect(planOf(Array.from({ length: count }, (_, at) => malformed(`junk-${at}`))).max).toBe(max);
  });

  it('is what --max says', () => {
    expect(planOf([lease(1)], { max: 7 }).max).toBe(7);
  });
});

describe('measuring owners for a prune', () => {
  const wanted = (record: LeaseRecord, keys: readonly string[] | null, scene: Parts['scene'] = {}) => {
    const [found] = judged([record], scene);
    return found !== undefined && needsMeasuring(found, keys === null ? null : new Set(keys));
  };

  it('asks those that are overdue, and whoever is named', () => {
    expect([wanted(OVERDUE, null), wanted(lease(1), null), wanted(lease(1), [KEY])]).toEqual([true, false, true]);
  });

  it('does not ask this host about itself', () => {
    expect(wanted(OVERDUE, [KEY], here)).toBe(false);
  });
});
