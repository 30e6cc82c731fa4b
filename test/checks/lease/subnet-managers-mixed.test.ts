import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/subnet-managers-mixed.ts';

type Facts = Parameters<typeof check.evaluate>[0];

const host = (publicIp: string) => ({ publicIp, subnet: '10.244.1.0/24' });
const A = host('192.0.2.1');
const B = host('192.0.2.2');
const C = host('192.0.2.3');

function both(etcd: readonly (typeof A)[], kube: readonly (typeof A)[]): Facts['both'] {
  return {
    status: 'known',
    value: { etcd, kube, sources: ['etcd http://10.0.0.1:2379', 'kubernetes https://10.0.0.9'] },
  };
}

const oneNamed: Facts['both'] = { status: 'absent', detail: 'nothing names a second datastore' };
const judge = (parts: Partial<Facts>) => check.evaluate({ here: { etcd: [812], kube: [] }, both: oneNamed, ...parts });

describe('subnet-managers-mixed', () => {
  it('holds where one flanneld runs and one datastore is named', () => {
    expect(judge({})).toEqual([]);
  });

  it('finds hosts that only one of the two datastores knows, on both sides', () => {
    const [finding] = judge({ both: both([A, B], [B, C]) });
    expect(finding).toMatchObject({
      about: ['node'],
      evidence: [
        { observed: '192.0.2.1', source: 'etcd http://10.0.0.1:2379' },
        { observed: '192.0.2.3', source: 'kubernetes https://10.0.0.9' },
      ],
      remedy: { automatic: 'no', actions: [] },
    });
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      '192.0.2.1 hold leases in etcd alone and 192.0.2.3 are known to Kubernetes alone: they do not see each other',
    );
  });

  it('finds two flanneld of different managers on one node', () => {
    const [finding] = judge({ here: { etcd: [812], kube: [4711] } });
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe('flanneld runs here both with and without --kube-subnet-mgr');
  });

  it.each([
    ['leases in etcd', both([A, B], [A, B, C])],
    ['annotations', both([A, B, C], [A, B])],
  ])('does not take %s that a move left behind for a mixture', (_, left) => {
    expect(judge({ both: left })).toEqual([]);
  });

  it('does not take two flanneld of the same manager for a mixture', () => {
    expect(judge({ here: { etcd: [], kube: [812, 813] } })).toEqual([]);
  });
});
