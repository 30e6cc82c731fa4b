import { BaseCommand } from '../../base-command.ts';
import type { ExitCode } from '../../errors.ts';
import { listFlags } from '../../lease-flags.ts';
import { listLeases, wantedState } from '../../lease-list.ts';
import { problemsOf } from '../../lease-place.ts';
import { inTime, withLeaseSession } from '../../lease-session.ts';
import { leaseWords } from '../../render/lease-words.ts';
import { printable } from '../../render/printable.ts';

export default class LeasesList extends BaseCommand {
  static override summary = 'List the subnet leases and what is to be said of each';
  static override description =
    'Reads etcd, or with the Kubernetes subnet manager the Nodes. Where a lease was not renewed in time, its owner is asked whether it is there; nothing is written.';
  static override examples = [
    '<%= config.bin %> leases list',
    '<%= config.bin %> leases list --state stale -o name',
    '<%= config.bin %> leases list --no-ttl --etcd-endpoints https://10.0.0.1:2379',
  ];
  static override flags = listFlags;

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(LeasesList);
    const format = this.format(flags, ['text', 'wide', 'json', 'yaml', 'name']);
    const language = this.language(flags);
    const ttl = !flags['no-ttl'];
    const request = {
      ...{ format, language, ttl, state: wantedState(flags.state, ttl) },
      kubeconfigEnv: flags['kubeconfig-env'],
      print: (text: string) => this.print(text),
    };
    const view = await withLeaseSession(flags, this.stopSignal(), (session) =>
      inTime(session, listLeases(session, request)),
    );
    if (flags.quiet) return 0;
    for (const problem of problemsOf(view.scene, language)) this.note(printable(problem));
    if (view.leases.length === 0 && format !== 'json') this.note(leaseWords(language).none(view.listing.source));
    return 0;
  }
}
