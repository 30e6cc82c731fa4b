import type { CheckSection } from '../doctor/report.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';
import type { EvidenceRow } from './view.ts';
import { padTo, widthOf } from './width.ts';
import type { Words } from './words.ts';
import { wrap } from './wrap.ts';

/** What a report for a person is written with and on. */
export interface Page {
  readonly words: Words;
  readonly style: Style;
  readonly columns: number;
}

export const SHOWN_COMMANDS = 10;
const SHOWN_EVIDENCE = 8;

/** A sentence of its own, indented by two. */
export function paragraph(text: string, { columns }: Page): readonly string[] {
  return wrap(printable(text), { columns, first: '  ', next: '  ' });
}

/** As columns where they fit, else one under the other. */
export function evidenceLines(rows: readonly EvidenceRow[], page: Page): readonly string[] {
  const shown = rows.slice(0, SHOWN_EVIDENCE);
  const table = asTable(shown, page);
  const fits = table.every(({ width }) => width <= page.columns);
  const lines = fits ? table.map(({ line }) => line) : shown.flatMap((row) => asParagraph(row, page));
  return rows.length > SHOWN_EVIDENCE ? [...lines, `    ${page.words.andMore(rows.length - SHOWN_EVIDENCE)}`] : lines;
}

interface TableLine {
  readonly line: string;
  readonly width: number;
}

function asTable(rows: readonly EvidenceRow[], { words, style }: Page): readonly TableLine[] {
  const columns = rows.map(({ what, observed, expected }) => [what, observed, wantedOf(expected, words)] as const);
  const widths = [0, 1, 2].map((at) => Math.max(...columns.map((row) => widthOf(row[at] ?? ''))));
  return rows.map(({ source }, at) => {
    const cells = (columns[at] ?? []).flatMap((cell, column) =>
      widths[column] === 0 ? [] : [padTo(cell, widths[column] ?? 0)],
    );
    const line = `    ${cells.join('   ')}   `;
    return { line: `${line}${style.dim(source)}`, width: widthOf(line) + widthOf(source) };
  });
}

/** The source is a command to repeat: it stays on one line, however long. */
function asParagraph(
  { what, observed, expected, source }: EvidenceRow,
  { words, style, columns }: Page,
): readonly string[] {
  const wanted = expected === '' ? '' : `, ${wantedOf(expected, words)}`;
  const told = wrap(`${what}: ${observed}${wanted}`, { columns, first: '    ', next: '      ' });
  return [...told, `      ${style.dim(source)}`];
}

function wantedOf(expected: string, words: Words): string {
  return expected === '' ? '' : `${words.expected} ${expected}`;
}

/** What to do, as sentences; commands stay on one line each, so that they can be pasted. */
export function remedyLines({ id, group, remedy }: CheckSection, page: Page): readonly string[] {
  const { words, style, columns } = page;
  const again = nextLines(
    `${words.next} sudo flannelctl doctor ${group}`,
    `${words.more} flannelctl explain ${id}`,
    page,
  );
  if (remedy === undefined) return again;
  const text = wrap(printable(remedy.text), { columns, first: `  ${words.fixHere} `, next: '    ' });
  const risk = wrap(printable(remedy.risk), { columns, first: `  ${words.risk} `, next: '    ' });
  const shown = remedy.commands.slice(0, SHOWN_COMMANDS).map((command) => `    ${style.bold(printable(command))}`);
  const hidden = remedy.commands.length - SHOWN_COMMANDS;
  const more = hidden > 0 ? [`    ${words.moreCommands(hidden)}`] : [];
  const byTool = remedy.repairable && remedy.automatic !== 'no' ? [`  ${words.fixByTool} ${id}`] : [];
  return [...text, ...shown, ...more, ...byTool, ...risk, ...again];
}

function nextLines(then: string, more: string, { columns }: Page): readonly string[] {
  const line = `  ${then}      ${more}`;
  return widthOf(line) <= columns ? [line] : [`  ${then}`, `  ${more}`];
}
