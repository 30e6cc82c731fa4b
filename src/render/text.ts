import type { CheckSection, DoctorReport } from '../doctor/report.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';
import {
  type EvidenceRow,
  type GroupTally,
  headline,
  openUnknowns,
  type RootView,
  rootViews,
  tallyGroups,
} from './view.ts';
import { padTo, widthOf } from './width.ts';
import type { Words } from './words.ts';

const SHOWN_EVIDENCE = 8;
const SHOWN_COMMANDS = 6;
const SHOWN_CONSEQUENCES = 12;

/** For a person at a terminal: healthy is quiet, a root cause stands with its evidence, what follows from it, and its repair. */
export function renderText(report: DoctorReport, words: Words, style: Style): string {
  if (report.verdict.status === 'not-applicable') return `${report.host.name} · ${words.noFlannel}`;
  return [
    style.bold(headline(report, words)),
    '',
    ...groupLines(tallyGroups(report), words, style),
    ...rootViews(report).flatMap((root) => ['', ...rootLines(root, words, style)]),
    ...unknownLines(openUnknowns(report), words, style),
    ...fixedLines(report, words, style),
    ...report.errors.map((error) => style.bad(printable(error))),
    '',
    ...closing(report, words, style),
  ].join('\n');
}

function groupLines(groups: readonly GroupTally[], words: Words, style: Style): readonly string[] {
  const quiet = groups.filter(({ failed, unknown, total }) => failed === 0 && unknown === 0 && total > 0);
  const loud = groups.filter(({ failed, unknown }) => failed > 0 || unknown > 0);
  const passed = quiet.map(
    ({ group, passed: count }) => `${style.mark({ status: 'pass', severity: 'error' })} ${group} ${count}`,
  );
  return [
    ...(passed.length > 0 ? [`  ${passed.join('   ')}`] : []),
    ...loud.map((group) => groupLine(group, words, style)),
  ];
}

function groupLine({ group, failed, unknown, total, hasError }: GroupTally, words: Words, style: Style): string {
  const status = failed > 0 ? 'fail' : 'unknown';
  const counts = [
    ...(failed > 0 ? [words.failedOf(failed, total)] : []),
    ...(unknown > 0 ? [words.unknownCount(unknown)] : []),
  ];
  return `  ${style.mark({ status, severity: hasError ? 'error' : 'warning' })} ${padTo(group, 10)} ${counts.join(', ')}`;
}

function rootLines({ check, evidence, consequences }: RootView, words: Words, style: Style): readonly string[] {
  const suppressed = check.suppressed ? ` (${words.suppressed})` : '';
  return [
    `${style.mark(check)} ${style.bold(check.id)}   ${style.bold(words.rootCause)}${suppressed}`,
    `  ${printable(check.summary)}`,
    '',
    ...evidenceLines(evidence, words, style),
    ...consequenceLines(consequences, words, style),
    '',
    ...remedyLines(check, words, style),
  ];
}

function evidenceLines(rows: readonly EvidenceRow[], words: Words, style: Style): readonly string[] {
  const shown = rows.slice(0, SHOWN_EVIDENCE);
  const whatWidth = Math.max(...shown.map(({ what }) => widthOf(what)));
  const observedWidth = Math.min(60, Math.max(...shown.map(({ observed }) => widthOf(observed))));
  const lines = shown.map(({ what, observed, expected, source }) => {
    const wanted = expected === '' ? '' : `   ${words.expected} ${expected}`;
    return `    ${padTo(what, whatWidth)}   ${padTo(observed, observedWidth)}${wanted}   ${style.dim(source)}`;
  });
  return rows.length > SHOWN_EVIDENCE ? [...lines, `    ${words.andMore(rows.length - SHOWN_EVIDENCE)}`] : lines;
}

function consequenceLines(checks: readonly CheckSection[], words: Words, style: Style): readonly string[] {
  if (checks.length === 0) return [];
  const shown = checks.slice(0, SHOWN_CONSEQUENCES);
  const width = Math.max(...shown.map(({ id }) => id.length));
  const lines = shown.map(
    (check) => `    ${style.mark(check)} ${padTo(check.id, width)}   ${printable(check.summary)}`,
  );
  const more = checks.length > shown.length ? [`    ${words.andMore(checks.length - shown.length)}`] : [];
  return ['', `  ${words.because}`, ...lines, ...more];
}

function remedyLines({ id, group, remedy }: CheckSection, words: Words, style: Style): readonly string[] {
  const again = `  ${words.next} sudo flannelctl doctor ${group}      ${words.more} flannelctl explain ${id}`;
  if (remedy === undefined) return [again];
  const shown = remedy.commands.slice(0, SHOWN_COMMANDS).map((command) => `    ${style.bold(printable(command))}`);
  const more =
    remedy.commands.length > SHOWN_COMMANDS ? [`    ${words.andMore(remedy.commands.length - SHOWN_COMMANDS)}`] : [];
  const byTool = remedy.repairable && remedy.automatic !== 'no' ? [`  ${words.fixByTool} ${id}`] : [];
  return [`  ${words.fixHere} ${printable(remedy.text)}`, ...shown, ...more, ...byTool, again];
}

function unknownLines(checks: readonly CheckSection[], words: Words, style: Style): readonly string[] {
  if (checks.length === 0) return [];
  const byDetail = Map.groupBy(checks, ({ summary }) => summary);
  const lines = [...byDetail].flatMap(([detail, same]) => [
    `  ${style.mark({ status: 'unknown', severity: 'error' })} ${printable(detail)}`,
    `      ${style.dim(same.map(({ id }) => id).join(', '))}`,
  ]);
  return ['', words.undetermined, ...lines];
}

function fixedLines({ fixes }: DoctorReport, words: Words, style: Style): readonly string[] {
  return fixes.flatMap(({ check, status, actions, message }) => {
    const head = status === 'applied' ? style.good(words.fixed) : style.bad(words.notFixed);
    const what = [...actions.slice(0, SHOWN_COMMANDS).map((action) => `    ${printable(action)}`)];
    return ['', `${head} ${check}${message === undefined ? '' : `: ${printable(message)}`}`, ...what];
  });
}

function closing({ summary, verdict, run }: DoctorReport, words: Words, style: Style): readonly string[] {
  const { roots, consequences, pass, unknown, notApplicable } = summary;
  const tally = words.tally({ roots, consequences, passed: pass, unknown, notApplicable });
  const seconds = `${(run.durationMs / 1000).toFixed(1)} s`;
  const healthy = verdict.status === 'healthy' ? [style.good(words.healthy)] : [];
  const interrupted = run.complete ? [] : [style.bad(words.interrupted)];
  return [...interrupted, ...healthy, style.dim(`${tally} · ${seconds}`)];
}
