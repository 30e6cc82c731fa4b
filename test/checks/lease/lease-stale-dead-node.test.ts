import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/lease-stale-dead-node.ts';
import type { OwnerLook } from '../../../src/facts/lease-owners.ts';
import { overdueAt } from '../../support/lease-records.ts';
import { listing } from '../../support/probe-builders.ts';

const GONE: OwnerLook = {
  verdict: 'silent',
  because: 'the owner is silent',
  asked: [
    { way: 'underlay-4', address: '192.168.77.2', result: 'silent' },
    { way: 'vxlan-4', address: '10.244.2.0', result: 'silent' },
  ],
  node: null,
};

function evaluate(owner: OwnerLook) {
  const owners = { overdue: { '10.244.2.0-24': owner }, controls: ['10.244.3.0-24'] };
  return check.evaluate({ overdue: [overdueAt(2)], owners, leases: listing() });
}

describe('lease-stale-dead-node', () => {
  it('holds while nothing is overdue', () => {
    expect(check.evaluate({ overdue: [], owners: { overdue: {}, controls: [] }, leases: listing() })).toEqual([]);
  });

  it('names the host and its subnet, with both measurements and the control', () => {
    const [finding] = evaluate(GONE);
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      '192.168.77.2, which holds 10.244.2.0/24, did not renew and answers nowhere; the lease ends in 10 min',
    );
    expect(finding.about).toEqual(['subnet:10.244.2.0/24']);
    expect(finding.evidence.map(({ what, observed }) => [what, observed])).toEqual([
      ['seconds left of the lease 10.244.2.0-24', 600],
      ['on the underlay', 'silent'],
      ['over the overlay', 'silent'],
      ['owners that renewed in time and were asked the same way', '10.244.3.0-24'],
    ]);
  });

  it('shows the command that asks again before it deletes', () => {
    expect(evaluate(GONE)[0]?.remedy).toMatchObject({
      commands: ['flannelctl leases prune --subnet 10.244.2.0/24'],
      actions: [],
      automatic: 'no',
    });
  });

  it.each([
    ['answers', { ...GONE, verdict: 'answers' as const }],
    ['has the address of a Kubernetes Node', { ...GONE, node: 'worker-2' }],
    ['could not be measured', { ...GONE, verdict: 'unknown' as const }],
  ])('does not call an owner dead that %s', (_, owner) => {
    expect(evaluate(owner)).toEqual([]);
  });
});
