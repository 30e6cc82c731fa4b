import { describe, expect, it } from 'vitest';
import { selectFault, selectFaults } from '../../src/drill/select.ts';
import { nearest } from '../../src/nearest.ts';
import { fault } from './builders.ts';

const faults = [
  fault('fdb-missing'),
  fault('vxlan-port-blocked', { check: 'vxlan-port-blocked' }),
  fault('vxlan-port-blocked-nft', { check: 'vxlan-port-blocked' }),
  fault('port-raw', { check: 'port-check' }),
  fault('port-nft', { check: 'port-check' }),
];
const selection = { faults, nearest };
const names = (words: readonly string[]) => selectFaults(selection, words).map(({ name }) => name);

describe('choosing faults by name', () => {
  it('takes all faults when none is named', () => {
    expect(names([])).toHaveLength(faults.length);
  });

  it('takes all faults of a check', () => {
    expect(names(['port-check'])).toEqual(['port-raw', 'port-nft']);
  });

  it('takes all faults of a check also when one of them bears its id', () => {
    expect(names(['vxlan-port-blocked'])).toEqual(['vxlan-port-blocked', 'vxlan-port-blocked-nft']);
  });

  it('injects the one that bears the id of its check', () => {
    expect(selectFault(selection, 'vxlan-port-blocked').name).toBe('vxlan-port-blocked');
  });

  it('takes each fault once, in the order of the folder', () => {
    expect(names(['port-nft', 'fdb-missing', 'port-check'])).toEqual(['fdb-missing', 'port-raw', 'port-nft']);
  });

  it('guesses what was meant', () => {
    expect(() => selectFaults(selection, ['fdb-mising'])).toThrow(
      expect.objectContaining({ exitCode: 64, hint: 'Did you mean fdb-missing?' }),
    );
  });

  it('does not choose one of several faults of a check to inject', () => {
    expect(() => selectFault(selection, 'port-check')).toThrow(/port-raw, port-nft/);
  });
});
