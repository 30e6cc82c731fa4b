import type { Fault } from '../../src/drill/fault.ts';
import type { MatrixRow } from '../../src/drill/matrix.ts';

/** A fault that does nothing. */
export function fault(name: string, parts: Partial<Fault> = {}): Fault {
  const nothing = async () => undefined;
  return { name, check: name, title: name, also: [], repair: 'fix', inject: nothing, heal: nothing, ...parts };
}

/** A row that holds. */
export function row(parts: Partial<MatrixRow> = {}): MatrixRow {
  return {
    fault: 'fdb-missing',
    check: 'fdb-missing',
    nodes: 3,
    store: 'file',
    healthyBefore: true,
    found: true,
    falseRoots: [],
    unannounced: [],
    repaired: true,
    healthyAfter: true,
    durationMs: 4200,
    details: [],
    ...parts,
  };
}
