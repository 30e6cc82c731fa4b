import { describe, expect, test } from 'vitest';
import { etcdAccessFact, etcdAlarmsFact, etcdReadTimesFact, etcdTlsFact } from '../../src/facts/etcd-health.ts';
import type { EndpointOutcome, EtcdHealth } from '../../src/store/health.ts';
import { configContext } from '../support/config-context.ts';

const DEAD = { kind: 'refused', words: 'refused the connection' } as const;
const DENIED = { kind: 'denied', words: 'wants a user name and a password' } as const;
const EXPIRED = { kind: 'tls', problem: 'out-of-date', words: 'TLS: …', certificate: null } as const;
const LATE = { kind: 'late', words: 'did not answer a read within 2 s', waitedMs: 2000 } as const;
const UP = { kind: 'answers' } as const;

function contextOf(outcomes: readonly EndpointOutcome[], health: Partial<EtcdHealth> = {}) {
  const looks = outcomes.map((outcome, at) => ({ endpoint: `http://10.0.0.${at + 1}:2379`, outcome }));
  return configContext({ text: '{}', health: { endpoints: async () => looks, ...health } });
}

describe('TLS', () => {
  test('is judged by endpoints that came as far as that', async () => {
    expect(await etcdTlsFact.collect(contextOf([DEAD, EXPIRED]))).toMatchObject({
      isServed: false,
      troubles: [{ endpoint: 'http://10.0.0.2:2379' }],
    });
  });

  test.each([[UP], [DENIED]])('works where etcd answers %j', async (outcome) => {
    expect(await etcdTlsFact.collect(contextOf([outcome]))).toEqual({ isServed: true, troubles: [] });
  });

  test('is not known where nobody takes a connection', async () => {
    await expect(etcdTlsFact.collect(contextOf([DEAD]))).rejects.toMatchObject({
      reason: 'unreachable',
      message: 'etcd http://10.0.0.1:2379 refused the connection',
    });
  });
});

describe('what etcd permits', () => {
  test('is asked further where it lets us read', async () => {
    const denials = [{ action: 'write-leases', words: 'does not permit this user to do that' }] as const;
    const access = async () => ({ endpoint: 'http://10.0.0.1:2379', denials });
    expect(await etcdAccessFact.collect(contextOf([UP], { access }))).toMatchObject(denials);
  });

  test('is no reading where it says so', async () => {
    expect(await etcdAccessFact.collect(contextOf([DEAD, DENIED]))).toEqual([
      { endpoint: 'http://10.0.0.2:2379', action: 'read', words: DENIED.words },
    ]);
  });

  test('is not known of an etcd that is away', async () => {
    await expect(etcdAccessFact.collect(contextOf([DEAD, EXPIRED]))).rejects.toMatchObject({ reason: 'unreachable' });
  });
});

describe('the time of a read', () => {
  const rounds = (...lists: readonly (readonly number[])[]) => {
    const left = [...lists];
    return contextOf([UP], { readTimes: async () => left.shift() ?? [] });
  };
  const twenty = (ms: number) => Array<number>(20).fill(ms);

  test('is told after one round that was quick', async () => {
    expect(await etcdReadTimesFact.collect(rounds(twenty(2)))).toMatchObject({ p95Ms: 2, samples: 20 });
  });

  test('leaves out the slowest of twenty', async () => {
    expect(await etcdReadTimesFact.collect(rounds([...twenty(2).slice(1), 900]))).toMatchObject({ p95Ms: 2 });
  });

  test('is that of the better round: what was slow once may have been this host', async () => {
    expect(await etcdReadTimesFact.collect(rounds(twenty(150), twenty(3)))).toMatchObject({ p95Ms: 3 });
    expect(await etcdReadTimesFact.collect(rounds(twenty(150), twenty(160)))).toMatchObject({ p95Ms: 150 });
  });

  test('is at least what was waited for when none came in time', async () => {
    expect(await etcdReadTimesFact.collect(contextOf([DEAD, LATE]))).toMatchObject({ p95Ms: 2000, isAtLeast: true });
  });

  test('is not known of an etcd that is away', async () => {
    await expect(etcdReadTimesFact.collect(contextOf([DEAD]))).rejects.toMatchObject({ reason: 'unreachable' });
  });
});

test('etcd is not asked where flannel uses another datastore', async () => {
  const context = configContext({ text: '{}', kind: 'kube' });
  await expect(etcdAlarmsFact.collect(context)).rejects.toMatchObject({ code: 'absent' });
});
