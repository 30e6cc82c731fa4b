import type { CheckList } from '../doctor/check-list.ts';
import { padTo, widthOf } from './width.ts';

/** One line a check: id, group, severity, repair, title. */
export function renderCheckTable({ checks }: CheckList): string {
  const rows = [
    ['CHECK', 'GROUP', 'SEVERITY', 'REPAIR', 'PROOF', 'HOLDS WHEN'],
    ...checks.map(({ id, group, severity, repair, proof, title }) => [id, group, severity, repair, proof, title]),
  ];
  return renderTable(rows);
}

/** Left-aligned columns, two blanks apart; the last one is not padded. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  return rows
    .map((row) =>
      row.map((cell, column) => (column === row.length - 1 ? cell : padTo(cell, widths[column] ?? 0))).join('  '),
    )
    .join('\n');
}
