import { Args } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { assertNobodyStranded, assertNotEmpty, planChange, writeChange } from '../../config-set.ts';
import type { ExitCode } from '../../errors.ts';
import { isAgreed } from '../../lease-asking.ts';
import { confirmFlags, datastoreFlags, forceFlag } from '../../lease-flags.ts';
import { inTime, type LeaseSession, refuseKubernetes, withLeaseSession } from '../../lease-session.ts';
import { renderConfigJson, renderDifferences } from '../../render/config-text.ts';
import { configWords } from '../../render/config-words.ts';
import { API } from '../../render/lease-document.ts';
import { printable } from '../../render/printable.ts';
import { readInput } from '../../wire.ts';

export default class ConfigSet extends BaseCommand {
  static override summary = 'Store a network configuration';
  static override description =
    'Refuses what flannel would refuse, and what would take subnets from leases there are. Shows what changes, asks, and writes only when the stored one is still the one that was compared. Each flanneld reads it at its next start.';
  static override examples = [
    '<%= config.bin %> config set net-conf.json --dry-run',
    '<%= config.bin %> config set - --yes < net-conf.json',
  ];
  static override args = { file: Args.string({ required: true, description: 'the file; -: standard input' }) };
  static override flags = { ...datastoreFlags, ...confirmFlags, ...forceFlag };

  protected async execute(): Promise<ExitCode> {
    const { args, flags } = await this.parse(ConfigSet);
    const format = this.format(flags, ['text', 'json']);
    const words = configWords(this.language(flags));
    const text = assertNotEmpty(await readInput(args.file), args.file);
    const asking = { yes: flags.yes, canAsk: this.canAsk(flags), confirm: this.confirm };
    const set = async (session: LeaseSession) => {
      refuseKubernetes(session, 'Edit the ConfigMap: kubectl -n kube-flannel edit configmap kube-flannel-cfg');
      const change = await inTime(session, planChange(session, text, args.file));
      if (!flags.quiet) for (const warning of change.warnings) this.note(`Warning: ${printable(warning)}`);
      const diff = renderDifferences(change.differences);
      if (format === 'text') this.print(diff);
      else if (!flags.quiet && !flags.yes) this.note(diff);
      assertNobodyStranded(change, flags.force);
      const isWritten =
        change.differences.length > 0 && !flags['dry-run'] && (await isAgreed(asking, words.ask, session));
      const written = isWritten ? await inTime(session, writeChange(session, change)) : change.before;
      const { differences, warnings, stranded } = change;
      const result = { changed: isWritten, dryRun: flags['dry-run'], revision: written?.modRevision ?? null };
      const document = { ...API, kind: 'NetworkConfigResult', ...result, differences, warnings };
      if (format === 'json') this.print(renderConfigJson({ ...document, stranded: stranded.map(({ key }) => key) }));
      else this.print(isWritten ? words.written : differences.length === 0 ? words.unchanged : words.notWritten);
    };
    await withLeaseSession(flags, this.stopSignal(), set);
    return 0;
  }
}
