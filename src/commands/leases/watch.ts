import { BaseCommand } from '../../base-command.ts';
import type { ExitCode } from '../../errors.ts';
import { datastoreFlags } from '../../lease-flags.ts';
import { withLeaseSession } from '../../lease-session.ts';
import { watchLeases } from '../../lease-watch.ts';
import type { LeaseEvent } from '../../leases/follow.ts';
import { eventItem, eventTable } from '../../render/lease-event.ts';
import { leaseWords } from '../../render/lease-words.ts';
import { printable } from '../../render/printable.ts';
import { safeJson } from '../../render/safe-json.ts';

export default class LeasesWatch extends BaseCommand {
  static override summary = 'Follow the leases: all there are, then every change';
  static override description =
    'After a gap (a restart of etcd, a compaction) all leases are told again. With -o json each line is a document. SIGTERM is its normal end.';
  static override examples = ['<%= config.bin %> leases watch', '<%= config.bin %> leases watch -o json | jq .type'];
  static override flags = datastoreFlags;

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(LeasesWatch);
    const format = this.format(flags, ['text', 'json', 'ndjson']);
    const language = this.language(flags);
    const words = leaseWords(language);
    const table = eventTable();
    const tell = (events: readonly LeaseEvent[]) => {
      const lines = format === 'text' ? table(events) : events.map((event) => safeJson(eventItem(event, language)));
      this.print(lines.join('\n'));
    };
    const onInterruption = (message: string) => {
      if (!flags.quiet) this.note(printable(words.following(message)));
    };
    const signal = this.stopSignal();
    const request = { kubeconfigEnv: flags['kubeconfig-env'], tell, onInterruption };
    await withLeaseSession(flags, signal, (session) => watchLeases(session, request));
    return signal.reason === 'SIGINT' ? 130 : 0;
  }
}
