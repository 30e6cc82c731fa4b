import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/doctor/diagnose.ts';
import type { Outcome } from '../../src/doctor/outcome.ts';
import { judge, type VerdictOptions } from '../../src/doctor/verdict.ts';
import { aCheck, aFact, aFinding, edgeFrom, failed, passed, undecided } from '../support/checks.ts';

const verdictOf = (outcomes: readonly Outcome[], options: Partial<VerdictOptions> = {}) => {
  const { status, exitCode } = judge(diagnose(outcomes), {
    failOn: 'error',
    strict: false,
    suppressed: new Set(),
    isNotApplicable: false,
    interruptedBy: undefined,
    ...options,
  });
  return [status, exitCode];
};

const error = aCheck('error');
const warning = aCheck('warning', { severity: 'warning' });
const fails = failed(error, aFinding('node'));
const warns = failed(warning, aFinding('node'));

describe('the verdict on what was asked for', () => {
  const asked = new Set(['asked']);

  it('leaves out a root that has nothing to do with it', () => {
    expect(verdictOf([fails, passed(aCheck('asked'))], { selected: asked })).toEqual(['healthy', 0]);
  });

  it('counts the root that explains it', () => {
    const outcomes = [fails, failed(aCheck('asked', { causedBy: [edgeFrom('error')] }), aFinding('node'))];
    expect(verdictOf(outcomes, { selected: asked })).toEqual(['problems', 1]);
  });

  it('counts the root that judges the absence for which it was set aside', () => {
    const judges = failed(
      aCheck('judge', { needs: { gone: { judged: aFact('gone', async () => 1) } } }),
      aFinding('node'),
    );
    const check = aCheck('asked');
    const aside: Outcome = {
      ...{ status: 'not-applicable', check, durationMs: 0, detail: 'gone' },
      ...{ absent: 'gone', unjudged: undefined },
    };
    expect(verdictOf([judges, aside], { selected: asked })).toEqual(['problems', 1]);
  });
});

describe('the verdict', () => {
  it('is healthy when everything passed', () => {
    expect(verdictOf([passed(error)])).toEqual(['healthy', 0]);
  });

  it('finds problems in a root of severity error', () => {
    expect(verdictOf([fails])).toEqual(['problems', 1]);
  });

  it('tells a warning without failing', () => {
    expect(verdictOf([warns])).toEqual(['problems', 0]);
  });

  it('fails on a warning when asked to', () => {
    expect(verdictOf([warns], { failOn: 'warning' })).toEqual(['problems', 1]);
  });

  it('never fails when asked not to', () => {
    expect(verdictOf([fails], { failOn: 'never' })).toEqual(['problems', 0]);
  });

  it('is undetermined when a check that matters could not look', () => {
    expect(verdictOf([passed(warning), undecided(error)])).toEqual(['undetermined', 2]);
  });

  it('is healthy when only a warning could not look', () => {
    expect(verdictOf([passed(error), undecided(warning)])).toEqual(['healthy', 0]);
  });

  it('lets a failure win over an unknown', () => {
    expect(verdictOf([fails, undecided(aCheck('other'))])).toEqual(['problems', 1]);
  });

  it('is not undetermined by an unknown that a root explains', () => {
    const blind = aCheck('blind', { causedBy: [edgeFrom('warning', { whenUnknown: () => ({ en: '', zh: '' }) })] });
    expect(verdictOf([warns, undecided(blind)])).toEqual(['problems', 0]);
  });

  it('counts unknown as failure under --strict', () => {
    expect(verdictOf([passed(warning), undecided(error)], { strict: true })).toEqual(['problems', 1]);
  });

  it('does not count what is suppressed', () => {
    expect(verdictOf([fails, passed(warning)], { suppressed: new Set(['error']) })).toEqual(['healthy', 0]);
  });

  it('is undetermined when something is absent that no check judges', () => {
    const aside: Outcome = {
      check: error,
      status: 'not-applicable',
      detail: 'no lease',
      unjudged: 'own-lease',
      durationMs: 0,
    };
    expect(verdictOf([passed(warning), aside])).toEqual(['undetermined', 2]);
  });

  it('is a bug when every check crashed and nothing else is to say', () => {
    expect(verdictOf([{ ...undecided(error), reason: 'crash' }])).toEqual(['undetermined', 70]);
  });

  it('says what ended it early', () => {
    expect(verdictOf([fails], { interruptedBy: 'SIGTERM' })).toEqual(['problems', 143]);
  });

  it('does not apply where nothing of flannel is', () => {
    expect(verdictOf([], { isNotApplicable: true })).toEqual(['not-applicable', 3]);
  });
});
