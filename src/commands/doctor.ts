import { BaseCommand } from '../base-command.ts';
import { resolveIds, selectChecks } from '../doctor/selection.ts';
import { doctorArgs, doctorFlags, doctorTimes, givenOptions } from '../doctor-flags.ts';
import { DoctorSession } from '../doctor-session.ts';
import { treat } from '../doctor-treatment.ts';
import { openDoctorWorld } from '../doctor-world.ts';
import type { ExitCode } from '../errors.ts';
import { etcdSecrets } from '../flannel-flags.ts';
import { checks } from '../generated/checks.ts';
import { REPORT_FORMATS, renderReport } from '../render/reporter.ts';
import { wordsOf } from '../render/words.ts';
import { assertReportFiles, reportFiles, writeReportFiles } from '../report-files.ts';

export default class Doctor extends BaseCommand {
  static override summary = 'Find the root cause of what is wrong with flannel on this node';
  static override description =
    'Looks at processes, datastore, interfaces, kernel entries, firewall and peers, tells root causes from their consequences, and shows the repair. Writes nothing without --fix.';
  static override examples = [
    'sudo <%= config.bin %> doctor',
    'sudo <%= config.bin %> doctor firewall path',
    'sudo <%= config.bin %> doctor --fix',
    'sudo <%= config.bin %> doctor --probe passive -o json',
  ];
  static override strict = false;
  static override args = doctorArgs;
  static override flags = doctorFlags;

  protected async execute(): Promise<ExitCode> {
    const { flags, argv } = await this.parse(Doctor);
    const format = this.format(flags, REPORT_FORMATS);
    const reports = reportFiles(flags.report ?? []);
    const { wholeMs, passiveMs, storeMs, waitMs } = doctorTimes(flags);
    const language = this.language(flags);
    const selection = selectChecks(checks, argv.map(String), flags.skip ?? []);
    await assertReportFiles(reports);
    const { world, source, finish } = await openDoctorWorld(flags, this.over);
    const interruption = this.stopSignal();
    const session = new DoctorSession({
      world,
      interruption,
      deadline: () => this.deadline(wholeMs, interruption),
      language,
      given: givenOptions(flags, storeMs),
      secrets: await etcdSecrets(flags),
      mayProbe: flags.probe === 'active',
      passiveTimeoutMs: passiveMs,
      selection,
      verdict: { failOn: flags['fail-on'], strict: flags.strict, suppressed: resolveIds(checks, flags.suppress ?? []) },
      version: this.config.version,
      source,
      onProgress: this.progress(flags),
    });
    const asking = { canAsk: this.canAsk(flags), confirm: this.confirm, note: this.note, words: wordsOf(language) };
    const report = await treat(session, { ...flags, waitMs, clock: world.clock, interruption, ...asking });
    await finish();
    await writeReportFiles(reports, report, language);
    this.print(await renderReport(report, format, { language, surface: this.surface(flags) }));
    return report.verdict.exitCode;
  }
}
