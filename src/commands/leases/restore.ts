import { Args } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { confirmFlags, datastoreFlags, forceFlag } from '../../lease-flags.ts';
import { restoreFrom } from '../../lease-restore.ts';
import { type LeaseSession, refuseKubernetes, withLeaseSession } from '../../lease-session.ts';
import { restoreDocument } from '../../render/lease-document.ts';
import { renderRestore } from '../../render/lease-text.ts';
import { safeJson } from '../../render/safe-json.ts';

export default class LeasesRestore extends BaseCommand {
  static override summary = 'Put leases back from a backup';
  static override description =
    'Only where nothing took their place: no lease with the same key, an overlapping subnet, the same public IP or VTEP MAC. The time left is what the backup had less what has passed since. Exits 75 when a place is taken.';
  static override examples = [
    'sudo <%= config.bin %> leases restore /var/lib/flannelctl/backups/prune-20261120T152011Z-4f9a12.json',
    '<%= config.bin %> leases restore leases.json --dry-run',
  ];
  static override args = { file: Args.string({ required: true, description: 'the backup; -: standard input' }) };
  static override flags = { ...datastoreFlags, ...confirmFlags, ...forceFlag };

  protected async execute(): Promise<number> {
    const { args, flags } = await this.parse(LeasesRestore);
    const format = this.format(flags, ['text', 'json']);
    const restore = async (session: LeaseSession) => {
      refuseKubernetes(session, 'Kubernetes makes the lease anew from the Node: kubectl get nodes');
      return restoreFrom(session, { file: args.file, force: flags.force, dryRun: flags['dry-run'] });
    };
    const report = await withLeaseSession(flags, this.stopSignal(), restore);
    this.print(format === 'json' ? safeJson(restoreDocument(report), 2) : renderRestore(report, this.language(flags)));
    return report.exitCode;
  }
}
