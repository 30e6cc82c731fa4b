import { type DrillMatrix, holds, type MatrixRow } from './matrix.ts';

const HEADER = ['FAULT', 'CHECK', 'BEFORE', 'FOUND', 'FALSE', 'REPAIRED', 'AFTER', 'TIME', ''];

/** The matrix as an aligned table, what does not hold explained below it, and one line that sums it up. */
export function renderMatrixText(matrix: DrillMatrix): string {
  const table = align([HEADER, ...matrix.rows.map(cells)]);
  const details = matrix.rows.flatMap(({ fault, details }) => details.map((detail) => `${fault}: ${detail}`));
  const missing = matrix.notInjected.map(({ fault, reason }) => `${fault}: could not be injected here: ${reason}`);
  const reasons = [...new Set(matrix.skipped.map(({ reason }) => reason))];
  const left = reasons.map((reason) => {
    const names = matrix.skipped.filter((other) => other.reason === reason).map(({ fault }) => fault);
    return `left out, ${reason}: ${names.join(', ')}`;
  });
  const notes = [...details, ...missing, ...left];
  return [...table, ...(notes.length === 0 ? [] : ['', ...notes]), '', summary(matrix)].join('\n');
}

/** The same as a Markdown document: docs/detection-matrix.md. Without times, so that two runs give the same file. */
export function renderMatrixMarkdown(matrices: readonly DrillMatrix[]): string {
  const rows = matrices.flatMap((matrix) => matrix.rows);
  const lines = rows.map((row) => {
    const marks = [row.healthyBefore, row.found, row.falseRoots.length === 0, row.repaired, row.healthyAfter].map(mark);
    return `| ${[row.fault, `\`${row.check}\``, row.store, String(row.nodes), ...marks].join(' | ')} |`;
  });
  return `${MARKDOWN_HEAD}${lines.join('\n')}\n\n${matrices.map((matrix) => `${summary(matrix)}\n`).join('\n')}`;
}

const MARKDOWN_HEAD = `# Detection matrix

Written by \`npm run matrix\`: every fault of \`flannelctl drill run\`, injected for real into one node of a namespaced cluster.
Healthy before and after: \`doctor\` exits 0 on every node and no check fails, not even with a warning. Found: the root cause has the
check's id. No false root: nothing else is called a root cause.

| fault | check | store | nodes | healthy before | found | no false root | repaired | healthy after |
|---|---|---|---|---|---|---|---|---|
`;

function cells(row: MatrixRow): readonly string[] {
  const alarms = [...row.falseRoots, ...row.unannounced].join(',') || '-';
  const marks = [mark(row.healthyBefore), mark(row.found), alarms, mark(row.repaired), mark(row.healthyAfter)];
  return [row.fault, row.check, ...marks, seconds(row.durationMs), holds(row) ? 'ok' : 'FAIL'];
}

function mark(value: boolean): string {
  return value ? 'yes' : 'NO';
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)}s`;
}

function summary({ rows, notInjected, recall, falseAlarms, complete }: DrillMatrix): string {
  const stores = [...new Set(rows.map(({ store }) => store))].join(', ') || 'no store';
  const held = rows.filter(holds).length;
  const parts = [
    `${held} of ${rows.length} rows hold (${stores})`,
    `recall ${recall === null ? '-' : `${(recall * 100).toFixed(1)} %`}`,
    `false alarms ${falseAlarms}`,
    ...(notInjected.length === 0 ? [] : [`${notInjected.length} not injected`]),
    ...(complete ? [] : ['interrupted']),
  ];
  return parts.join(' · ');
}

/** Columns two spaces apart; names, ids and digits only, so that a character is a column. */
export function align(lines: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(...lines.map((line) => line.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
