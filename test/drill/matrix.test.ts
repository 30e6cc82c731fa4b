import { describe, expect, it } from 'vitest';
import { buildMatrix, exitCodeOf, holds, type MatrixRow } from '../../src/drill/matrix.ts';
import { renderMatrixMarkdown, renderMatrixText } from '../../src/drill/matrix-text.ts';
import { row } from './builders.ts';

const matrixOf = (rows: readonly MatrixRow[], parts: { notInjected?: readonly string[]; complete?: boolean } = {}) =>
  buildMatrix({
    rows,
    notInjected: (parts.notInjected ?? []).map((fault) => ({ fault, reason: 'nft is not here' })),
    complete: parts.complete ?? true,
    durationMs: 1,
  });

describe('a row of the matrix', () => {
  it.each<Partial<MatrixRow>>([
    { healthyBefore: false },
    { found: false },
    { falseRoots: ['x'] },
    { unannounced: ['x'] },
    { repaired: false },
    { healthyAfter: false },
  ])('does not hold with %j', (broken) => {
    expect(holds(row(broken))).toBe(false);
  });

  it('holds when nothing is missing', () => {
    expect(holds(row())).toBe(true);
  });
});

describe('the matrix', () => {
  it('counts what was found and what nobody injected', () => {
    const rows = [
      row(),
      row({ fault: 'b', found: false, falseRoots: ['x', 'y'] }),
      row({ fault: 'c', unannounced: ['z'] }),
    ];
    expect(matrixOf(rows)).toMatchObject({ recall: 2 / 3, falseAlarms: 3 });
  });

  it('has no recall without rows', () => {
    expect(matrixOf([]).recall).toBeNull();
  });

  it.each([
    ['every row holds', matrixOf([row()]), 0],
    ['a row does not hold and another was not injected', matrixOf([row({ found: false })], { notInjected: ['b'] }), 1],
    ['a fault could not be injected', matrixOf([row()], { notInjected: ['b'] }), 2],
    ['it was interrupted', matrixOf([row({ found: false })], { complete: false }), 130],
  ])('when %s, exits as the interface says', (_, matrix, code) => {
    expect(exitCodeOf(matrix)).toBe(code);
  });

  it('lists rows by fault, whichever cluster was faster', () => {
    expect(matrixOf([row({ fault: 'b' }), row({ fault: 'a' })]).rows.map(({ fault }) => fault)).toEqual(['a', 'b']);
  });

  it('shows as text which row does not hold, and why', () => {
    const text = renderMatrixText(matrixOf([row({ found: false, details: ['roots none'] })], { notInjected: ['b'] }));
    expect(text).toContain('FAIL');
    expect(text).toContain('fdb-missing: roots none');
    expect(text).toContain('b: could not be injected here: nft is not here');
    expect(text).toContain('0 of 1 rows hold (file) · recall 0.0 % · false alarms 0 · 1 not injected');
  });

  it('gives the same Markdown for two runs that differ in their times only', () => {
    const markdown = (durationMs: number) => renderMatrixMarkdown([matrixOf([row({ durationMs })])]);
    expect(markdown(1)).toBe(markdown(9999));
    expect(markdown(1)).toContain('| fdb-missing | `fdb-missing` | file | 3 | yes | yes | yes | yes | yes |');
  });
});
