import type { CheckSection, DoctorReport } from '../doctor/report.ts';
import { printable } from './printable.ts';
import { evidenceLines, type Page, paragraph, remedyLines, SHOWN_COMMANDS } from './text-blocks.ts';
import {
  type GroupTally,
  headline,
  lacksPermission,
  openUnknowns,
  type RootView,
  rootViews,
  tallyGroups,
} from './view.ts';
import { padTo } from './width.ts';
import { wrap } from './wrap.ts';

const SHOWN_CONSEQUENCES = 12;
/** A longer id pushes its sentence onto lines of its own. */
const WIDEST_ID = 26;

/** For a person at a terminal: healthy is quiet, a root cause stands with its evidence, what follows from it, and its repair. */
export function renderText(report: DoctorReport, page: Page): string {
  const { words, style } = page;
  if (report.verdict.status === 'not-applicable') return `${printable(report.host.name)} · ${words.noFlannel}`;
  return [
    ...wrap(headline(report, words), { columns: page.columns, first: '', next: '  ' }).map(style.bold),
    '',
    ...groupLines(tallyGroups(report), page),
    ...rootViews(report).flatMap((root) => ['', ...rootLines(root, page)]),
    ...unknownLines(report, page),
    ...fixedLines(report, page),
    ...report.errors.map((error) => style.bad(printable(error))),
    '',
    ...closing(report, page),
  ].join('\n');
}

function groupLines(groups: readonly GroupTally[], page: Page): readonly string[] {
  const quiet = groups.filter(({ failed, unknown, total }) => failed === 0 && unknown === 0 && total > 0);
  const loud = groups.filter(({ failed, unknown }) => failed > 0 || unknown > 0);
  return [...quietLines(quiet, page), ...loud.map((group) => groupLine(group, page))];
}

function quietLines(groups: readonly GroupTally[], { style, columns }: Page): readonly string[] {
  const lines: string[][] = [];
  let width = columns;
  for (const { group, passed } of groups) {
    const cell = `${group} ${passed}`;
    width += cell.length + 5;
    if (width > columns) {
      lines.push([]);
      width = cell.length + 4;
    }
    lines.at(-1)?.push(`${style.mark({ status: 'pass', severity: 'error' })} ${cell}`);
  }
  return lines.map((cells) => `  ${cells.join('   ')}`);
}

function groupLine({ group, failed, unknown, total, hasError }: GroupTally, { words, style }: Page): string {
  const status = failed > 0 ? 'fail' : 'unknown';
  const counts = [
    ...(failed > 0 ? [words.failedOf(failed, total)] : []),
    ...(unknown > 0 ? [words.unknownCount(unknown)] : []),
  ];
  return `  ${style.mark({ status, severity: hasError ? 'error' : 'warning' })} ${padTo(group, 10)} ${counts.join(', ')}`;
}

function rootLines({ check, evidence, consequences }: RootView, page: Page): readonly string[] {
  const { words, style } = page;
  const suppressed = check.suppressed ? ` (${words.suppressed})` : '';
  return [
    `${style.mark(check)} ${style.bold(check.id)}   ${style.bold(words.rootCause)}${suppressed}`,
    ...paragraph(check.summary, page),
    '',
    ...evidenceLines(evidence, page),
    ...consequenceLines(consequences, page),
    '',
    ...remedyLines(check, page),
  ];
}

function consequenceLines(checks: readonly CheckSection[], page: Page): readonly string[] {
  if (checks.length === 0) return [];
  const shown = checks.slice(0, SHOWN_CONSEQUENCES);
  const width = Math.min(WIDEST_ID, Math.max(...shown.map(({ id }) => id.length)));
  const lines = shown.flatMap((check) => consequence(check, width, page));
  const more = checks.length > shown.length ? [`    ${page.words.andMore(checks.length - shown.length)}`] : [];
  return ['', `  ${page.words.because}`, ...lines, ...more];
}

/** The mark is put in front after the lines are broken: colour takes no columns. */
function consequence(check: CheckSection, width: number, { style, columns }: Page): readonly string[] {
  const indent = ' '.repeat(width + 9);
  const first = `      ${padTo(check.id, width)}   `;
  const [head = '', ...rest] = wrap(printable(check.summary), { columns, first, next: indent });
  return [`    ${style.mark(check)}${head.slice(5)}`, ...rest];
}

function unknownLines(report: DoctorReport, page: Page): readonly string[] {
  const unknowns = openUnknowns(report);
  if (unknowns.length === 0) return [];
  const { words, style, columns } = page;
  const mark = style.mark({ status: 'unknown', severity: 'error' });
  const lines = unknowns.flatMap(({ detail, checks }) => {
    const [head = '', ...rest] = wrap(printable(detail), { columns, first: '    ', next: '    ' });
    const ids = checks.map(({ id }) => id).join(', ');
    return [
      `  ${mark}${head.slice(3)}`,
      ...rest,
      ...wrap(ids, { columns, first: '      ', next: '      ' }).map(style.dim),
    ];
  });
  const title = report.verdict.status === 'undetermined' ? words.undetermined : words.notLookedAt;
  return ['', title, ...lines, ...(lacksPermission(report) ? [`  ${words.needsRoot}`] : [])];
}

function fixedLines({ fixes }: DoctorReport, { words, style }: Page): readonly string[] {
  return fixes.flatMap(({ check, status, actions, message }) => {
    const head = status === 'applied' ? style.good(words.fixed) : style.bad(words.notFixed);
    const what = [...actions.slice(0, SHOWN_COMMANDS).map((action) => `    ${printable(action)}`)];
    const more = actions.length > SHOWN_COMMANDS ? [`    ${words.andMore(actions.length - SHOWN_COMMANDS)}`] : [];
    return ['', `${head} ${check}${message === undefined ? '' : `: ${printable(message)}`}`, ...what, ...more];
  });
}

function closing({ summary, verdict, run }: DoctorReport, { words, style }: Page): readonly string[] {
  const { roots, consequences, pass, unknown, notApplicable } = summary;
  const tally = words.tally({ roots, consequences, passed: pass, unknown, notApplicable });
  const seconds = `${(run.durationMs / 1000).toFixed(1)} s`;
  const healthy = verdict.status === 'healthy' ? [style.good(words.healthy)] : [];
  const interrupted = run.complete ? [] : [style.bad(words.interrupted)];
  return [...interrupted, ...healthy, style.dim(`${tally} · ${seconds}`)];
}
