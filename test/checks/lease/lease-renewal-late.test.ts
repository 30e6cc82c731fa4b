import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/lease-renewal-late.ts';
import type { OverdueLease } from '../../../src/facts/lease-renewals.ts';
import { overdueAt } from '../../support/lease-records.ts';
import { flannelInstall, known, listing, UNKNOWN } from '../../support/probe-builders.ts';

type Facts = Parameters<typeof check.evaluate>[0];

const GONE = { verdict: 'silent' as const, because: 'the owner is silent', asked: [], node: null };

function evaluate(overdue: readonly OverdueLease[], owners: Facts['owners'] = UNKNOWN) {
  return check.evaluate({ overdue, owners, leases: listing(), flannel: flannelInstall() });
}

describe('lease-renewal-late', () => {
  it('holds while nothing is overdue', () => {
    expect(evaluate([])).toEqual([]);
  });

  it('names the peer, what is left and when it should have renewed', () => {
    const [finding] = evaluate([overdueAt(2)]);
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      'the lease of 10.244.2.0/24 (192.168.77.2) was not renewed: 10 min are left, flannel renews with 60 left',
    );
    expect(finding.about).toEqual(['subnet:10.244.2.0/24']);
    expect(finding.evidence[0]).toMatchObject({ observed: 600, expected: '3600 or more' });
  });

  it('sends the reader to that host and renews nothing for it', () => {
    expect(evaluate([overdueAt(2)])[0]?.remedy).toMatchObject({
      commands: ['ssh 192.168.77.2 flannelctl doctor process lease'],
      actions: [],
      automatic: 'no',
    });
  });

  it('is about this node when the lease is its own, and then follows from a flanneld that does not run', () => {
    const [finding] = evaluate([overdueAt(1, { isOwn: true })]);
    if (finding === undefined) throw new Error('nothing was found');
    expect(finding.about).toEqual(['node']);
    const edge = check.causedBy?.find(({ id }) => id === 'flanneld-not-running');
    expect(edge?.because(finding, finding)).toBeDefined();
  });

  it('does not blame this flanneld for the lease of a peer', () => {
    const [finding] = evaluate([overdueAt(2)]);
    if (finding === undefined) throw new Error('nothing was found');
    const edge = check.causedBy?.find(({ id }) => id === 'flanneld-not-running');
    expect(edge?.because(finding, finding)).toBeUndefined();
  });

  it('leaves an owner that is gone to lease-stale-dead-node', () => {
    const owners = known({ overdue: { '10.244.2.0-24': GONE }, controls: ['10.244.3.0-24'] });
    expect(evaluate([overdueAt(2)], owners)).toEqual([]);
  });

  it.each([
    ['that could not be measured', { verdict: 'unknown' as const }, 'the owner is silent'],
    ['with the address of a Node', { node: 'b' }, 'the owner is silent; it has the address of the Node b'],
  ])('keeps a silent owner %s, and says so', (_, more, observed) => {
    const owners = known({ overdue: { '10.244.2.0-24': { ...GONE, ...more } }, controls: [] });
    expect(evaluate([overdueAt(2)], owners)[0]?.evidence.at(-1)).toMatchObject({ what: 'its owner', observed });
  });
});
