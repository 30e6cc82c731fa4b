import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/etcd-nospace.ts';
import { etcdSelection } from '../../support/etcd-selection.ts';

const endpoint = 'http://10.0.0.1:2379';
const judge = (alarms: readonly string[], databaseBytes: number | null = 2 << 30) =>
  check.evaluate({ state: { endpoint, alarms, databaseBytes }, selection: etcdSelection() });

describe('etcd-nospace', () => {
  it('holds without alarm', () => {
    expect(judge([])).toEqual([]);
  });

  it('finds the alarm, and how large the database is', () => {
    const [finding] = judge(['NOSPACE'], 21_057_536);
    expect(finding).toMatchObject({
      about: ['node'],
      evidence: [
        { what: 'alarms of etcd', observed: 'NOSPACE', source: 'etcdctl --endpoints=http://10.0.0.1:2379 alarm list' },
        { what: 'bytes of the database', observed: 21_057_536 },
      ],
    });
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      'etcd http://10.0.0.1:2379 has the alarm NOSPACE and a database of 20.1 MiB: it refuses every write, renewals of leases too',
    );
  });

  it('compacts before it defragments, and disarms last', () => {
    const verbs = judge(['NOSPACE'])[0]?.remedy?.commands.map((command) => /2379 (\w+)/.exec(command)?.[1]);
    expect(verbs).toEqual(['compact', 'defrag', 'alarm']);
  });

  it('does not need the size, which only root is told', () => {
    const [finding] = judge(['NOSPACE'], null);
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).not.toContain('MiB');
  });

  it('does not take the alarm about a broken copy for one about space', () => {
    expect(judge(['CORRUPT'])).toEqual([]);
  });
});
