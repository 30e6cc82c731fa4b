import type { StoreKind } from './record.ts';

/** One fault, or a pair of them (`a + b`), through the whole way. */
export interface MatrixRow {
  readonly fault: string;
  readonly check: string;
  readonly nodes: number;
  readonly store: StoreKind;
  readonly healthyBefore: boolean;
  /** Found as a root by its id; of a pair, both. */
  readonly found: boolean;
  /** Roots that nobody injected. */
  readonly falseRoots: readonly string[];
  /** Failing checks that the fault does not announce, though they are no roots. */
  readonly unannounced: readonly string[];
  readonly repaired: boolean;
  readonly healthyAfter: boolean;
  readonly durationMs: number;
  /** Why the row does not hold, for a person. */
  readonly details: readonly string[];
}

/** A fault that this machine cannot have. */
export interface NotInjected {
  readonly fault: string;
  readonly reason: string;
}

/** The document of `drill run`. Version 1 only grows. */
export interface DrillMatrix {
  readonly apiVersion: 'flannelctl.dev/v1';
  readonly kind: 'DrillMatrix';
  /** False when it was interrupted: the rows are those that were finished. */
  readonly complete: boolean;
  readonly rows: readonly MatrixRow[];
  readonly notInjected: readonly NotInjected[];
  /** Faults that nobody asked for by name and that belong to another datastore than this run's. */
  readonly skipped: readonly NotInjected[];
  /** Rows whose fault was found, divided by all rows; `null` without rows. */
  readonly recall: number | null;
  /** Failures that nobody injected, over all rows, healthy nodes that were not included. */
  readonly falseAlarms: number;
  readonly durationMs: number;
}

export function holds(row: MatrixRow): boolean {
  const isQuiet = row.falseRoots.length === 0 && row.unannounced.length === 0;
  return row.healthyBefore && row.found && isQuiet && row.repaired && row.healthyAfter;
}

export interface MatrixParts {
  readonly rows: readonly MatrixRow[];
  readonly notInjected: readonly NotInjected[];
  readonly skipped?: readonly NotInjected[];
  readonly complete: boolean;
  readonly durationMs: number;
}

export function buildMatrix({ rows, notInjected, skipped = [], complete, durationMs }: MatrixParts): DrillMatrix {
  const sorted = rows.toSorted((a, b) => compare(a.fault, b.fault));
  const found = rows.filter((row) => row.found).length;
  return {
    apiVersion: 'flannelctl.dev/v1',
    kind: 'DrillMatrix',
    complete,
    rows: sorted,
    notInjected: notInjected.toSorted((a, b) => compare(a.fault, b.fault)),
    skipped: skipped.toSorted((a, b) => compare(a.fault, b.fault)),
    recall: rows.length === 0 ? null : found / rows.length,
    falseAlarms: rows.reduce((sum, row) => sum + falseAlarmsOf(row), 0),
    durationMs,
  };
}

/** 1 wins over 2, 2 over 0. */
export function exitCodeOf({ rows, notInjected, complete }: DrillMatrix): 0 | 1 | 2 | 130 {
  if (!complete) return 130;
  if (!rows.every(holds)) return 1;
  return notInjected.length > 0 ? 2 : 0;
}

function falseAlarmsOf({ falseRoots, unannounced, healthyBefore }: MatrixRow): number {
  return falseRoots.length + unannounced.length + (healthyBefore ? 0 : 1);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
