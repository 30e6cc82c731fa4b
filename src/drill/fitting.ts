import type { Fault } from './fault.ts';
import type { NotInjected } from './matrix.ts';
import type { StoreKind } from './record.ts';

/** Why a fault cannot be injected into a drill with that datastore; `undefined`: it can. */
export function storeObstacle({ stores }: Pick<Fault, 'stores'>, store: StoreKind): string | undefined {
  return stores === undefined || stores.includes(store) ? undefined : `it needs --store ${stores.join(' or ')}`;
}

export interface Fitting {
  readonly faults: readonly Fault[];
  readonly skipped: readonly NotInjected[];
}

/** Leaves out what belongs to another datastore. */
export function fitting(faults: readonly Fault[], store: StoreKind): Fitting {
  const judged = faults.map((fault) => ({ fault, reason: storeObstacle(fault, store) }));
  return {
    faults: judged.flatMap(({ fault, reason }) => (reason === undefined ? [fault] : [])),
    skipped: judged.flatMap(({ fault, reason }) => (reason === undefined ? [] : [{ fault: fault.name, reason }])),
  };
}
