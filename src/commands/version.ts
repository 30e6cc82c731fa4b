import { BaseCommand } from '../base-command.ts';
import type { ExitCode } from '../errors.ts';

export default class Version extends BaseCommand {
  static override summary = 'Print the version of flannelctl and of the runtime in it';
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version -o json'];

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(Version);
    this.print(flags.json || flags.output === 'json' ? this.document() : this.config.userAgent);
    return 0;
  }

  private document(): string {
    const { name, version } = this.config;
    const node = this.config.versionDetails.nodeVersion.slice('node-v'.length);
    return JSON.stringify({ apiVersion: 'flannelctl.dev/v1', kind: 'Version', tool: { name, version }, node }, null, 2);
  }
}
