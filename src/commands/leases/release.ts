import { Args } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { isAgreed } from '../../lease-asking.ts';
import { backupDirFlag, confirmFlags, datastoreFlags } from '../../lease-flags.ts';
import { chooseRelease, released } from '../../lease-release.ts';
import { inTime, type LeaseSession, refuseKubernetes, withLeaseSession } from '../../lease-session.ts';
import { removalDocument } from '../../render/lease-document.ts';
import { leaseName } from '../../render/lease-table.ts';
import { renderRemoval } from '../../render/lease-text.ts';
import { leaseWords } from '../../render/lease-words.ts';
import { safeJson } from '../../render/safe-json.ts';

export default class LeasesRelease extends BaseCommand {
  static override summary = 'Give back a lease of this host';
  static override description =
    'Deletes the lease on a subnet, when it is a lease of this host: its public IP is here, or it names the MAC of flannel.N. A backup is written before.';
  static override examples = ['sudo <%= config.bin %> leases release 10.244.7.0/24'];
  static override args = { subnet: Args.string({ required: true, description: 'the subnet: 10.244.7.0/24' }) };
  static override flags = { ...datastoreFlags, ...confirmFlags, ...backupDirFlag };

  protected async execute(): Promise<number> {
    const { args, flags } = await this.parse(LeasesRelease);
    const format = this.format(flags, ['text', 'json']);
    const language = this.language(flags);
    const asking = { yes: flags.yes, canAsk: this.canAsk(flags), confirm: this.confirm };
    const release = async (session: LeaseSession) => {
      refuseKubernetes(session, 'Delete the Node when this host leaves the cluster: kubectl delete node NAME');
      const choice = await inTime(session, chooseRelease(session, args.subnet));
      const question = leaseWords(language).askRelease(leaseName(choice.lease.record), choice.lease.record.key);
      if (flags['dry-run']) return this.note(question);
      if (!(await isAgreed(asking, question, session))) return undefined;
      const say = (line: string) => this.note(line);
      return released(session, choice, { what: 'release', backupDir: flags['backup-dir'], say, flags });
    };
    const report = await withLeaseSession(flags, this.stopSignal(), release);
    if (!report) return 0;
    this.print(format === 'json' ? safeJson(removalDocument(report), 2) : renderRemoval(report, language));
    return report.exitCode;
  }
}
