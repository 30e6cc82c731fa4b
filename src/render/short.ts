import type { DoctorReport } from '../doctor/report.ts';
import { printable } from './printable.ts';
import { PLAIN } from './style.ts';
import { openUnknowns, rootViews, type UnknownView } from './view.ts';
import type { Words } from './words.ts';

/** Only what is wrong: a line per root cause, its consequences under it, then what nobody knows. Nothing when healthy. */
export function renderShort(report: DoctorReport, words: Words): string {
  const roots = rootViews(report).flatMap(({ check, consequences }) => [
    `${PLAIN.mark(check)} ${check.id}: ${printable(check.summary)}`,
    ...consequences.map((one) => `  ${PLAIN.mark(one)} ${one.id}: ${printable(one.summary)}`),
  ]);
  const unknowns = openUnknowns(report).map((unknown) => unknownLine(unknown, words));
  return [...roots, ...unknowns, ...report.errors.map((error) => `ERROR ${printable(error)}`)].join('\n');
}

/** A datastore that is away leaves most checks open for one reason. */
function unknownLine({ detail, checks }: UnknownView, words: Words): string {
  const named = checks.slice(0, NAMED).map(({ id }) => id);
  const more = checks.length > NAMED ? ` ${words.andOthers(checks.length - NAMED)}` : '';
  return `${PLAIN.mark({ status: 'unknown', severity: 'error' })} ${named.join(', ')}${more}: ${printable(detail)}`;
}

const NAMED = 3;
