import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/datastore-slow.ts';
import type { ReadTimes } from '../../../src/facts/etcd-health.ts';
import { etcdSelection } from '../../support/etcd-selection.ts';

const judge = (parts: Partial<ReadTimes>) => {
  const times = { endpoint: 'http://10.0.0.1:2379', p95Ms: 2, medianMs: 1, samples: 20, isAtLeast: false, ...parts };
  return check.evaluate({ times, selection: etcdSelection() });
};

function summaryOf(parts: Partial<ReadTimes>) {
  const [finding] = judge(parts);
  return finding === undefined ? undefined : check.say.en.summary([finding.values]);
}

describe('datastore-slow', () => {
  it.each([2, 99.9, 100])('holds for %d ms', (p95Ms) => {
    expect(judge({ p95Ms })).toEqual([]);
  });

  it('warns of an etcd that takes longer, with percentile and median', () => {
    expect(check.severity).toBe('warning');
    expect(summaryOf({ p95Ms: 160.4, medianMs: 155 })).toBe(
      'etcd http://10.0.0.1:2379 takes 160 ms for one read, not 100 ms or less',
    );
    expect(judge({ p95Ms: 160.4, medianMs: 155 })).toMatchObject([
      {
        about: ['node'],
        evidence: [
          { what: '95th percentile of 20 reads, ms', observed: 160.4, expected: 100 },
          { what: 'median, ms', observed: 155 },
        ],
        remedy: { automatic: 'no' },
      },
    ]);
  });

  it('says that it was longer than could be waited for', () => {
    expect(summaryOf({ p95Ms: 2100, isAtLeast: true, samples: 1 })).toContain('takes more than 2100 ms');
  });

  it('does not judge by the slowest of many: one hiccup is none', () => {
    expect(judge({ p95Ms: 3, medianMs: 1 })).toEqual([]);
  });

  it('proves nothing by loading the datastore', () => {
    const [finding] = judge({ p95Ms: 500 });
    expect(JSON.stringify(finding)).not.toContain('check perf');
  });
});
