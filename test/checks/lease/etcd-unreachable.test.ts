import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/etcd-unreachable.ts';
import type { EndpointLook, EndpointOutcome } from '../../../src/facts/etcd.ts';
import { etcdSelection } from '../../support/etcd-selection.ts';

const DEAD = { kind: 'refused', words: 'refused the connection' } as const;
const LOST = { kind: 'no-quorum', words: 'has no leader: the cluster has lost its quorum' } as const;

function judge(...outcomes: readonly EndpointOutcome[]) {
  const looks = outcomes.map((outcome, at): EndpointLook => ({ endpoint: `http://10.0.0.${at + 1}:2379`, outcome }));
  return check.evaluate({ looks, selection: etcdSelection() });
}

describe('etcd-unreachable', () => {
  it('holds while one endpoint answers, whatever the others do', () => {
    expect(judge(DEAD, { kind: 'answers' }, LOST)).toEqual([]);
  });

  it('finds that nobody answers, with what was seen of each endpoint', () => {
    expect(judge(DEAD, LOST)).toMatchObject([
      {
        about: ['node'],
        evidence: [
          { what: 'etcd http://10.0.0.1:2379', observed: DEAD.words },
          { what: 'etcd http://10.0.0.2:2379', observed: LOST.words },
        ],
        remedy: {
          automatic: 'no',
          actions: [],
          commands: [
            'etcdctl --endpoints=http://10.0.0.1:2379 endpoint health',
            'etcdctl --endpoints=http://10.0.0.2:2379 endpoint health',
          ],
        },
      },
    ]);
  });

  it('names every endpoint and what it did, in both languages', () => {
    const [finding] = judge(DEAD, LOST);
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      'etcd http://10.0.0.1:2379 refused the connection, etcd http://10.0.0.2:2379 has no leader: the cluster has lost its quorum',
    );
    expect(check.say.zh.summary([finding.values])).toBe(
      'etcd http://10.0.0.1:2379 拒绝连接、etcd http://10.0.0.2:2379 没有 leader：集群已失去多数派',
    );
  });

  it('asks for members to be brought back only where the quorum is lost', () => {
    const remedyOf = (outcome: EndpointOutcome) => {
      const [finding] = judge(outcome);
      return finding === undefined ? undefined : check.say.en.remedy([finding.values]);
    };
    expect(remedyOf(LOST)).toContain('more than half');
    expect(remedyOf(DEAD)).toContain('Start etcd there');
  });

  it.each([
    ['TLS that fails', { kind: 'tls', problem: 'out-of-date', words: 'TLS: …', certificate: null }],
    ['a user that is refused', { kind: 'denied', words: 'wants a user name and a password' }],
    ['an answer that is late', { kind: 'late', words: 'did not answer a read within 2 s', waitedMs: 2000 }],
  ] as const)('does not take %s for an etcd that is away', (_, outcome) => {
    expect(judge(DEAD, outcome)).toEqual([]);
  });
});
