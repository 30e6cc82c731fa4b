import type { CheckSection, DoctorReport } from '../doctor/report.ts';
import { printable } from './printable.ts';
import { PLAIN } from './style.ts';
import { evidenceRows, headline, lacksPermission, rootViews } from './view.ts';
import type { Words } from './words.ts';

const SHOWN_EVIDENCE = 12;

/** Off a terminal: ASCII, one line per check with the evidence of failures under it, then the repairs, then one line of result. */
export function renderLines(report: DoctorReport, words: Words): string {
  return [
    headline(report, words),
    ...report.checks.flatMap((check) => checkLines(check, words)),
    ...rootViews(report).flatMap(({ check }) => fixLines(check)),
    ...report.fixes.map(fixedLine),
    ...report.errors.map((error) => `ERROR ${printable(error)}`),
    ...noteLines(report, words),
    resultLine(report),
  ].join('\n');
}

function checkLines(check: CheckSection, words: Words): readonly string[] {
  const role = check.role === 'none' ? '' : ` ${check.role}`;
  const suppressed = check.suppressed ? ` (${words.suppressed})` : '';
  const because = check.causedBy.map(({ id }) => id).join(', ');
  const following = because === '' ? '' : ` <- ${because}`;
  const head = `${PLAIN.mark(check).padEnd(6)} ${check.id}${role}${suppressed}: ${printable(check.summary)}${following}`;
  return check.status === 'fail' ? [head, ...evidenceLines(check, words)] : [head];
}

function evidenceLines(check: CheckSection, words: Words): readonly string[] {
  const rows = evidenceRows(check);
  const lines = rows.slice(0, SHOWN_EVIDENCE).map(({ what, observed, expected, source }) => {
    const wanted = expected === '' ? '' : `, ${words.expected} ${expected}`;
    return `         ${what}: ${observed}${wanted}   (${source})`;
  });
  return rows.length > SHOWN_EVIDENCE ? [...lines, `         ${words.andMore(rows.length - SHOWN_EVIDENCE)}`] : lines;
}

function fixLines({ id, remedy }: CheckSection): readonly string[] {
  if (remedy === undefined) return [];
  const text = `FIX ${id}: ${printable(remedy.text)}`;
  return [text, ...remedy.commands.map((command) => `FIX ${id}: ${printable(command)}`)];
}

function fixedLine({ check, status, actions, message }: DoctorReport['fixes'][number]): string {
  const what = actions.length === 1 ? printable(actions[0] ?? '') : `${actions.length} actions`;
  return `FIXED ${check}: ${status}, ${what}${message === undefined ? '' : `: ${printable(message)}`}`;
}

/** What the reader must know of the run itself. */
function noteLines(report: DoctorReport, words: Words): readonly string[] {
  return [
    ...(lacksPermission(report) ? [`NOTE ${words.needsRoot}`] : []),
    ...(report.run.complete ? [] : [`NOTE ${words.interrupted}`]),
  ];
}

/** `RESULT fail roots=1 consequences=2 unknown=1 passed=57 na=4 exit=1`. */
function resultLine({ summary, verdict }: DoctorReport): string {
  const counts = `roots=${summary.roots} consequences=${summary.consequences} unknown=${summary.unknown}`;
  return `RESULT ${resultWord(verdict)} ${counts} passed=${summary.pass} na=${summary.notApplicable} exit=${verdict.exitCode}`;
}

function resultWord({ status, exitCode }: DoctorReport['verdict']): string {
  switch (status) {
    case 'healthy':
      return 'ok';
    case 'problems':
      return exitCode === 0 ? 'warn' : 'fail';
    case 'undetermined':
      return 'unknown';
    case 'not-applicable':
      return 'n/a';
  }
}
