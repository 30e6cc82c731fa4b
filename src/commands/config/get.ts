import { BaseCommand } from '../../base-command.ts';
import { examineConfig } from '../../config-document.ts';
import type { ExitCode } from '../../errors.ts';
import { datastoreFlags } from '../../lease-flags.ts';
import { inTime, type LeaseSession, withLeaseSession } from '../../lease-session.ts';
import { configDocument, renderConfigJson, storedText } from '../../render/config-text.ts';
import { printable } from '../../render/printable.ts';

export default class ConfigGet extends BaseCommand {
  static override summary = 'Print the network configuration as it is stored';
  static override description =
    'With -o json also what flannel makes of it: defaults filled in, what it refuses, and where it silently does something else.';
  static override examples = ['<%= config.bin %> config get', '<%= config.bin %> config get -o json'];
  static override flags = datastoreFlags;

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(ConfigGet);
    const format = this.format(flags, ['text', 'json', 'yaml']);
    const read = async (session: LeaseSession) => {
      const stored = await inTime(session, session.store.readNetworkConfig());
      const { text, source, modRevision: revision } = stored;
      return { text, source, revision, ...examineConfig(text, session.store.kind) };
    };
    const report = await withLeaseSession(flags, this.stopSignal(), read);
    const document = configDocument(report);
    if (format === 'json') this.print(renderConfigJson(document));
    else if (format === 'yaml') this.print((await import('../../render/yaml.ts')).renderYaml(document));
    else this.print(storedText(report.text));
    if (!flags.quiet && format === 'text') {
      for (const line of [...report.problems, ...report.warnings]) this.note(printable(line));
    }
    return 0;
  }
}
