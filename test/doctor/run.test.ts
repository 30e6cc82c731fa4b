import { describe, expect, it } from 'vitest';
import { runChecks } from '../../src/doctor/run.ts';
import { AbsentError, UnavailableError } from '../../src/errors.ts';
import type { FactEnvironment } from '../../src/facts/fact-store.ts';
import { FactStore } from '../../src/facts/fact-store.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { aCheck, aFact, aFinding } from '../support/checks.ts';
import { recordedHost } from '../support/recorded.ts';

const never = () => Promise.reject(new UnavailableError('unsupported', 'not in this test'));

function environment(parts: Partial<FactEnvironment> = {}): FactEnvironment {
  return {
    host: recordedHost({}),
    clock: systemClock,
    startedAt: 0,
    signal: new AbortController().signal,
    given: { flannel: {}, namesDatastore: false, peerLimit: null, storeTimeoutMs: 1000 },
    secrets: { put: () => undefined, secrets: () => ({}) },
    mayProbe: true,
    passiveTimeoutMs: 1000,
    openStore: never,
    openKube: never,
    openEtcdHealth: never,
    ...parts,
  };
}

async function outcomesOf(checks: Parameters<typeof runChecks>[0]['checks'], parts: Partial<FactEnvironment> = {}) {
  return runChecks({ checks, facts: new FactStore(environment(parts)), clock: systemClock });
}

const known = aFact('known', async () => 7);
const gone = aFact<number>('gone', async () => {
  throw new AbsentError('there is no such file');
});
const locked = aFact<number>('locked', async () => {
  throw new UnavailableError('permission', 'only root may look');
});

describe('an absence', () => {
  it('that another fact only passes on is that of the fact it began with', async () => {
    const source = aFact<number>('source', async () => {
      throw new AbsentError('nothing is stored');
    });
    const store = new FactStore(environment());
    const derived = {
      ...aFact<number>('derived', async () => store.get(source)),
      absence: { normal: 'another backend than vxlan' },
    };
    const check = aCheck('a', { needs: { derived } });
    expect(await runChecks({ checks: [check], facts: store, clock: systemClock })).toMatchObject([
      { status: 'not-applicable', unjudged: 'source' },
    ]);
  });
});

describe('deciding a check', () => {
  it('passes when evaluate finds nothing', async () => {
    expect(await outcomesOf([aCheck('a', { needs: { known } })])).toMatchObject([{ status: 'pass' }]);
  });

  it('fails with what evaluate finds', async () => {
    const check = aCheck('a', { needs: { known }, evaluate: () => [aFinding('node')] });
    expect(await outcomesOf([check])).toMatchObject([{ status: 'fail', findings: [{ about: ['node'] }] }]);
  });

  it('is unknown when a needed fact is, and never asks evaluate', async () => {
    const check = aCheck('a', { needs: { locked }, evaluate: () => [aFinding('node')] });
    expect(await outcomesOf([check])).toMatchObject([
      { status: 'unknown', reason: 'permission', detail: 'only root may look' },
    ]);
  });

  it('is unknown when the fact whose absence it judges is unknown', async () => {
    const check = aCheck('a', { needs: { locked: { judged: locked } } });
    expect(await outcomesOf([check])).toMatchObject([{ status: 'unknown', reason: 'permission' }]);
  });

  it('passes an optional fact on as it is', async () => {
    const check = aCheck('a', {
      needs: { locked: { optional: locked } },
      evaluate: (facts) => (facts['locked'] === undefined ? [] : [aFinding('node')]),
    });
    expect(await outcomesOf([check])).toMatchObject([{ status: 'fail' }]);
  });

  it('does not apply when a needed fact is absent, and says so when nobody judges the absence', async () => {
    expect(await outcomesOf([aCheck('a', { needs: { gone } })])).toMatchObject([
      { status: 'not-applicable', detail: 'there is no such file', unjudged: 'gone' },
    ]);
  });

  it('takes the absence of what can never be absent for a bug, not for "does not apply"', async () => {
    const constant = aFact<number>('constant', gone.collect, { absence: 'never' });
    expect(await outcomesOf([aCheck('a', { needs: { constant } })])).toMatchObject([
      { status: 'unknown', reason: 'crash' },
    ]);
  });

  it('accounts for an absence that another check of the run judges', async () => {
    const judge = aCheck('judge', { needs: { gone: { judged: gone } } });
    expect(await outcomesOf([aCheck('a', { needs: { gone } }), judge])).toMatchObject([{ unjudged: undefined }, {}]);
  });

  it('does not account for an absence whose judge does not apply here', async () => {
    const judge = aCheck('judge', { needs: { gone: { judged: gone }, other: aFact('other', gone.collect) } });
    expect(await outcomesOf([aCheck('a', { needs: { gone } }), judge])).toMatchObject([{ unjudged: 'gone' }, {}]);
  });

  it('accounts for an absence that follows from one that is judged', async () => {
    const follower = aFact<number>('follower', gone.collect, { absence: { follows: 'gone' } });
    const judge = aCheck('judge', { needs: { gone: { judged: gone } } });
    const reader = aCheck('a', { needs: { follower } });
    expect(await outcomesOf([reader, judge])).toMatchObject([{ unjudged: undefined }, {}]);
    expect(await outcomesOf([reader])).toMatchObject([{ unjudged: 'gone' }]);
  });

  it('makes a check that crashes unknown and leaves the others alone', async () => {
    const crash = aCheck('a', {
      evaluate: () => {
        throw new TypeError('boom');
      },
    });
    expect(await outcomesOf([crash, aCheck('b')])).toMatchObject([
      { status: 'unknown', reason: 'crash', detail: 'a crashed: boom' },
      { status: 'pass' },
    ]);
  });

  it('makes the checks of a crashed collector unknown', async () => {
    const broken = aFact<number>('broken', async () => {
      throw new TypeError('boom');
    });
    expect(await outcomesOf([aCheck('a', { needs: { broken } })])).toMatchObject([
      { status: 'unknown', reason: 'crash' },
    ]);
  });

  it('gives up on a collector that takes too long', async () => {
    const slow = aFact<number>('slow', () => new Promise(() => undefined), { timeoutMs: 20 });
    expect(await outcomesOf([aCheck('a', { needs: { slow } })])).toMatchObject([
      { status: 'unknown', reason: 'timeout' },
    ]);
  });

  it('collects a fact once for all checks', async () => {
    let times = 0;
    const counted = aFact('counted', async () => ++times);
    await outcomesOf([aCheck('a', { needs: { counted } }), aCheck('b', { needs: { counted } })]);
    expect(times).toBe(1);
  });

  it('sends no packet when it may not', async () => {
    const probe = aFact('probe', async () => 1, { cost: 'active' });
    expect(await outcomesOf([aCheck('a', { needs: { probe } })], { mayProbe: false })).toMatchObject([
      { status: 'unknown', reason: 'unsupported' },
    ]);
  });

  it('ends with what it has when the run is interrupted', async () => {
    const controller = new AbortController();
    const endless = aFact<number>('endless', () => new Promise(() => undefined));
    const deciding = outcomesOf([aCheck('a', { needs: { endless } }), aCheck('b')], { signal: controller.signal });
    controller.abort('SIGINT');
    expect(await deciding).toMatchObject([
      { status: 'unknown', reason: 'timeout', detail: 'interrupted' },
      { status: 'pass' },
    ]);
  });
});
