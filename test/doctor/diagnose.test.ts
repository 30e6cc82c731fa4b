import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/doctor/diagnose.ts';
import { aCheck, aFinding, edgeFrom, failed, passed, undecided } from '../support/checks.ts';

const cause = aCheck('cause');
const consequence = aCheck('consequence', { causedBy: [edgeFrom('cause')] });
const last = aCheck('last', { causedBy: [edgeFrom('consequence')] });

const rootsOf = (outcomes: Parameters<typeof diagnose>[0]) =>
  diagnose(outcomes).rootCauses.map(({ failure, explains }) => [failure.outcome.check.id, ...explains]);

describe('root causes and consequences', () => {
  it('puts a consequence under the cause that is about the same peer', () => {
    expect(rootsOf([failed(cause, aFinding('subnet:a')), failed(consequence, aFinding('subnet:a'))])).toEqual([
      ['cause', 'consequence'],
    ]);
  });

  it('does not blame one peer for another', () => {
    expect(rootsOf([failed(cause, aFinding('subnet:a')), failed(consequence, aFinding('subnet:b'))])).toEqual([
      ['cause'],
      ['consequence'],
    ]);
  });

  it('lets a cause about the whole node explain every peer', () => {
    const both = failed(consequence, aFinding('subnet:a'), aFinding('subnet:b'));
    expect(rootsOf([failed(cause, aFinding('node')), both])).toEqual([['cause', 'consequence']]);
  });

  it('does not let a cause about one peer explain the whole node', () => {
    expect(rootsOf([failed(cause, aFinding('subnet:a')), failed(consequence, aFinding('node'))])).toHaveLength(2);
  });

  it('keeps what is left over as a root of its own, about the rest', () => {
    const { rootCauses } = diagnose([
      failed(cause, aFinding('subnet:a')),
      failed(consequence, aFinding('subnet:a'), aFinding('subnet:b')),
    ]);
    const left = rootCauses.find(({ failure }) => failure.outcome.check.id === 'consequence');
    expect(left?.failure.findings.flatMap(({ unexplained }) => unexplained)).toEqual(['subnet:b']);
  });

  it('follows a chain of consequences to its root', () => {
    const outcomes = [cause, consequence, last].map((check) => failed(check, aFinding('subnet:a')));
    expect(rootsOf(outcomes)).toEqual([['cause', 'consequence', 'last']]);
  });

  it('keeps an edge out whose evidence does not predict the finding', () => {
    const unrelated = aCheck('unrelated', { causedBy: [edgeFrom('cause', { because: () => undefined })] });
    expect(rootsOf([failed(cause, aFinding('node')), failed(unrelated, aFinding('node'))])).toHaveLength(2);
  });

  it('does not explain by a check that passed', () => {
    expect(rootsOf([passed(cause), failed(consequence, aFinding('subnet:a'))])).toEqual([['consequence']]);
  });

  it('lists an unknown under the root that says why it could not be decided', () => {
    const blind = aCheck('blind', {
      causedBy: [edgeFrom('cause', { whenUnknown: () => ({ en: 'no link', zh: '' }) })],
    });
    expect(rootsOf([failed(cause, aFinding('node')), undecided(blind)])).toEqual([['cause', 'blind']]);
  });

  it('leaves an unknown alone when no edge speaks of it', () => {
    const { unknowns } = diagnose([failed(cause, aFinding('node')), undecided(consequence)]);
    expect(unknowns.map(({ causes }) => causes)).toEqual([[]]);
  });

  it('orders roots by severity, then by how much they explain, then by id', () => {
    const warning = aCheck('a-warning', { severity: 'warning' });
    const lonely = aCheck('b-lonely');
    const outcomes = [warning, lonely, cause, consequence].map((check) => failed(check, aFinding('node')));
    expect(rootsOf(outcomes).map(([id]) => id)).toEqual(['cause', 'b-lonely', 'a-warning']);
  });

  it('survives an edge that crashes, and tells of it', () => {
    const crash = () => {
      throw new TypeError('boom');
    };
    const fragile = aCheck('fragile', { causedBy: [edgeFrom('cause', { because: crash })] });
    const { rootCauses, crashes } = diagnose([failed(cause, aFinding('node')), failed(fragile, aFinding('node'))]);
    expect([rootCauses.length, crashes]).toEqual([2, ['the edge from cause to fragile crashed: boom']]);
  });
});
