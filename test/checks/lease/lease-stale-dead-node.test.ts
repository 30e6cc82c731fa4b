import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/lease-stale-dead-node.ts';
import type { OwnerAnswers } from '../../../src/leases/owner-silence.ts';
import { overdueAt } from '../../support/lease-records.ts';
import { ANSWERED, listing, UNANSWERED } from '../../support/probe-builders.ts';

const GONE: OwnerAnswers = { underlay: UNANSWERED, overlay: UNANSWERED, node: null };
const THERE: OwnerAnswers = { underlay: ANSWERED, overlay: ANSWERED, node: null };

function evaluate(owner: OwnerAnswers, control = THERE) {
  const owners = { overdue: { '10.244.2.0-24': owner }, controls: { '10.244.3.0-24': control } };
  return check.evaluate({ overdue: [overdueAt(2)], owners, leases: listing() });
}

describe('lease-stale-dead-node', () => {
  it('holds while nothing is overdue', () => {
    expect(check.evaluate({ overdue: [], owners: { overdue: {}, controls: {} }, leases: listing() })).toEqual([]);
  });

  it('names the host and its subnet, with both measurements and the control', () => {
    const [finding] = evaluate(GONE);
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      '192.168.77.2, which holds 10.244.2.0/24, did not renew and answers nowhere; the lease ends in 10 min',
    );
    expect(finding.about).toEqual(['subnet:10.244.2.0/24']);
    expect(finding.evidence.map(({ observed }) => observed)).toEqual([
      600,
      '0 of 3 echoes, TCP silent',
      '0 of 3 echoes, TCP silent',
      '10.244.3.0-24',
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
    ['answers', { ...GONE, underlay: ANSWERED }],
    ['has the address of a Kubernetes Node', { ...GONE, node: 'worker-2' }],
    ['was not asked over the overlay', { ...GONE, overlay: null }],
  ])('does not call an owner dead that %s', (_, owner) => {
    expect(evaluate(owner)).toEqual([]);
  });

  it('does not call an owner dead because this host reaches nobody', () => {
    expect(evaluate(GONE, GONE)).toEqual([]);
  });
});
