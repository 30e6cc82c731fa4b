import type { DoctorReport, Language } from './doctor/report.ts';
import { UsageError } from './errors.ts';
import { REPORT_FORMATS, type ReportFormat, renderReport } from './render/reporter.ts';
import { assertWritable, writeOutput } from './wire.ts';

export interface ReportFile {
  readonly format: ReportFormat;
  readonly path: string;
}

const NO_TERMINAL = { isTerminal: false, hasColor: false, columns: 100 };

/** The files of `--report FORMAT=FILE`. @throws {UsageError} for a format that doctor does not have. */
export function reportFiles(specs: readonly string[]): readonly ReportFile[] {
  return specs.map((spec) => {
    const at = spec.indexOf('=');
    const format = REPORT_FORMATS.find((one) => one === spec.slice(0, at));
    const path = spec.slice(at + 1);
    if (format === undefined || path === '') {
      throw new UsageError(
        `--report takes FORMAT=FILE with FORMAT one of ${REPORT_FORMATS.join(', ')}, not ${JSON.stringify(spec)}`,
      );
    }
    return { format, path };
  });
}

/** Finds out before the run. @throws {OutputError} when one could not be written. */
export async function assertReportFiles(files: readonly ReportFile[]): Promise<void> {
  for (const { path } of files) await assertWritable(path);
}

/** @throws {OutputError} when one cannot be written. */
export async function writeReportFiles(
  files: readonly ReportFile[],
  report: DoctorReport,
  language: Language,
): Promise<void> {
  for (const { format, path } of files) {
    const text = await renderReport(report, format, { language, surface: NO_TERMINAL });
    await writeOutput(path, text.endsWith('\n') || text === '' ? text : `${text}\n`);
  }
}
