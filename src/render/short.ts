import type { DoctorReport } from '../doctor/report.ts';
import { printable } from './printable.ts';
import { PLAIN } from './style.ts';
import { openUnknowns, rootViews } from './view.ts';

/** Only what is wrong: a line per root cause, its consequences under it, then what nobody knows. Nothing when healthy. */
export function renderShort(report: DoctorReport): string {
  const roots = rootViews(report).flatMap(({ check, consequences }) => [
    `${PLAIN.mark(check)} ${check.id}: ${printable(check.summary)}`,
    ...consequences.map((one) => `  ${PLAIN.mark(one)} ${one.id}: ${printable(one.summary)}`),
  ]);
  const unknowns = openUnknowns(report).map((check) => `${PLAIN.mark(check)} ${check.id}: ${printable(check.summary)}`);
  return [...roots, ...unknowns, ...report.errors.map((error) => `ERROR ${printable(error)}`)].join('\n');
}
