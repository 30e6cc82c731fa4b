import { describe, expect, it } from 'vitest';
import { chooseSets } from '../../src/drill/pairs.ts';
import { fault } from './builders.ts';

const names = 'abcdefghij'.split('');
const ten = names.map((name) => fault(name));
const pairsOf = (faults: typeof ten, pairs: number, seed = 1) =>
  chooseSets(faults, { pairs, seed }).map((set) => set.map(({ name }) => name).join(''));

describe('pairs of faults', () => {
  it('are all unordered pairs when as many or more are asked for', () => {
    expect(pairsOf(ten, 99).toSorted()).toEqual(names.flatMap((a, at) => names.slice(at + 1).map((b) => a + b)));
  });

  it('are the same for the same seed and others for another', () => {
    expect(pairsOf(ten, 10, 7)).toEqual(pairsOf(ten, 10, 7));
    expect(pairsOf(ten, 10, 7)).not.toEqual(pairsOf(ten, 10, 8));
  });

  it('never join two faults of one check', () => {
    const faults = [fault('a1', { check: 'a' }), fault('a2', { check: 'a' }), fault('b')];
    expect(pairsOf(faults, 9).toSorted()).toEqual(['a1b', 'a2b']);
  });

  it('never join a fault with one that follows from it', () => {
    const faults = [fault('link-down', { also: ['route-missing'] }), fault('route-missing'), fault('mtu')];
    expect(pairsOf(faults, 9)).not.toContain('link-downroute-missing');
  });

  it('leave out a fault that can only be alone', () => {
    expect(pairsOf([fault('a', { pairable: false }), fault('b'), fault('c')], 9)).toEqual(['bc']);
  });

  it('are refused where no two faults are independent', () => {
    expect(() => pairsOf([fault('a')], 3)).toThrow(expect.objectContaining({ exitCode: 64 }));
  });

  it('are not made unless they are asked for', () => {
    expect(chooseSets(ten, { pairs: undefined, seed: 1 })).toHaveLength(10);
  });
});
