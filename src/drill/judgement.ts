import type { Examination } from './examination.ts';
import type { Fault } from './fault.ts';
import type { MatrixRow } from './matrix.ts';

/** What doctor said of a broken node against what was injected. Every fault's check must be a root; nobody else may be one. */
export function judge(
  faults: readonly Pick<Fault, 'check' | 'also'>[],
  { roots, failing }: Pick<Examination, 'roots' | 'failing'>,
): Pick<MatrixRow, 'found' | 'falseRoots' | 'unannounced'> {
  const injected = new Set(faults.map(({ check }) => check));
  const announced = new Set(faults.flatMap(({ also }) => also));
  const falseRoots = [...new Set(roots)].filter((id) => !injected.has(id));
  return {
    found: [...injected].every((check) => roots.includes(check)),
    falseRoots,
    unannounced: failing.filter((id) => !injected.has(id) && !announced.has(id) && !falseRoots.includes(id)),
  };
}
