import type { DoctorReport, Language } from '../doctor/report.ts';
import { renderJson } from './json.ts';
import { renderLines } from './lines.ts';
import { renderShort } from './short.ts';
import { type Surface, styleOf } from './style.ts';
import { renderText } from './text.ts';
import { wordsOf } from './words.ts';

export const REPORT_FORMATS = ['text', 'short', 'json'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** The report in a format, ended as that format ends. */
export async function renderReport(
  report: DoctorReport,
  format: ReportFormat,
  options: { language: Language; surface: Surface },
): Promise<string> {
  const words = wordsOf(options.language);
  switch (format) {
    case 'json':
      return renderJson(report);
    case 'short':
      return renderShort(report, words);
    case 'text':
      return options.surface.isTerminal
        ? renderText(report, { words, style: await styleOf(options.surface), columns: options.surface.columns })
        : renderLines(report, words);
  }
}
