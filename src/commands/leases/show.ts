import { Args } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import type { ExitCode } from '../../errors.ts';
import { datastoreFlags } from '../../lease-flags.ts';
import { placeOf, problemsOf } from '../../lease-place.ts';
import { inTime, type LeaseSession, withLeaseSession } from '../../lease-session.ts';
import { showLeases } from '../../lease-show.ts';
import { leaseShowDocument } from '../../render/lease-document.ts';
import { renderLease } from '../../render/lease-text.ts';
import { printable } from '../../render/printable.ts';
import { safeJson } from '../../render/safe-json.ts';

export default class LeasesShow extends BaseCommand {
  static override summary = 'Show the lease of a subnet, a public IP or a node';
  static override description =
    'An address in a subnet, of a pod for example, names its lease too. Where the lease was not renewed in time, its owner is asked whether it is there.';
  static override examples = [
    '<%= config.bin %> leases show 10.244.7.0/24',
    '<%= config.bin %> leases show 192.168.10.13',
    '<%= config.bin %> leases show worker-3 -o json',
  ];
  static override args = {
    lease: Args.string({
      required: true,
      description: 'subnet, public IP, name of a node, or an address in the subnet',
    }),
  };
  static override flags = datastoreFlags;

  protected async execute(): Promise<ExitCode> {
    const { args, flags } = await this.parse(LeasesShow);
    const format = this.format(flags, ['text', 'json', 'yaml']);
    const language = this.language(flags);
    const show = async (session: LeaseSession) => {
      const view = await inTime(session, showLeases(session, args.lease, flags['kubeconfig-env']));
      return { ...view, place: placeOf(session, view.listing) };
    };
    const { leases, place, scene } = await withLeaseSession(flags, this.stopSignal(), show);
    const document = leaseShowDocument(leases, place, language);
    if (format === 'json') this.print(safeJson(document, 2));
    else if (format === 'yaml') this.print((await import('../../render/yaml.ts')).renderYaml(document));
    else this.print(leases.map((lease) => renderLease(lease, language)).join('\n\n'));
    if (!flags.quiet) for (const problem of problemsOf(scene, language)) this.note(printable(problem));
    return 0;
  }
}
