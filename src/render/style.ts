import type { CheckSection } from '../doctor/report.ts';

/** What is written on. */
export interface Surface {
  readonly isTerminal: boolean;
  readonly hasColor: boolean;
  readonly columns: number;
}

/** How marks and emphasis look on a surface. */
export interface Style {
  mark(check: Pick<CheckSection, 'status' | 'severity'>): string;
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

const plain = (text: string) => text;

/** ASCII and no colour: for pipes, logs and terminals that ask for it. */
export const PLAIN: Style = { mark: asciiMark, bold: plain, dim: plain, good: plain, bad: plain };

/** Symbols, and colour where the surface has it; chalk is loaded only then. */
export async function styleOf(surface: Surface): Promise<Style> {
  if (!surface.isTerminal) return PLAIN;
  if (!surface.hasColor) return { ...PLAIN, mark: symbol };
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  const paint = { pass: chalk.green, fail: chalk.red, unknown: chalk.yellow, 'not-applicable': chalk.dim };
  return {
    mark: (check) => (isWarning(check) ? chalk.yellow : paint[check.status])(symbol(check)),
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
  };
}

function symbol(check: Pick<CheckSection, 'status' | 'severity'>): string {
  if (isWarning(check)) return '⚠';
  return { pass: '✔', fail: '✖', unknown: '?', 'not-applicable': '–' }[check.status];
}

function asciiMark(check: Pick<CheckSection, 'status' | 'severity'>): string {
  if (isWarning(check)) return '[warn]';
  return { pass: '[ok]', fail: '[FAIL]', unknown: '[????]', 'not-applicable': '[n/a]' }[check.status];
}

function isWarning({ status, severity }: Pick<CheckSection, 'status' | 'severity'>): boolean {
  return status === 'fail' && severity === 'warning';
}
