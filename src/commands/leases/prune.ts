import { BaseCommand } from '../../base-command.ts';
import { pruneFlags } from '../../lease-flags.ts';
import { agreeToPrune, planOf, pruned } from '../../lease-prune.ts';
import { PruneReport } from '../../lease-prune-report.ts';
import { type LeaseSession, refuseKubernetes, withLeaseSession } from '../../lease-session.ts';
import { assertAllowed } from '../../leases/prune.ts';

export default class LeasesPrune extends BaseCommand {
  static override summary = 'Delete the leases of hosts that are gone';
  static override description =
    'A lease goes only when its owner was measured to be silent and did not renew it, or when its key is none. The plan is shown with its reasons, a backup is written before the first deletion, and what changed meanwhile is kept.';
  static override examples = [
    '<%= config.bin %> leases prune --dry-run',
    'sudo <%= config.bin %> leases prune',
    'sudo <%= config.bin %> leases prune --subnet 10.244.7.0/24 --yes',
  ];
  static override flags = pruneFlags;

  protected async execute(): Promise<number> {
    const { flags } = await this.parse(LeasesPrune);
    const format = this.format(flags, ['text', 'json']);
    const report = new PruneReport({
      ...{ format, language: this.language(flags), isQuiet: flags.quiet, isDry: flags['dry-run'] },
      print: (text) => this.print(text),
      note: (text) => this.note(text),
    });
    const asking = { yes: flags.yes, canAsk: this.canAsk(flags), confirm: this.confirm };
    const { subnet: subnets, max, force, 'backup-dir': backupDir, 'kubeconfig-env': kubeconfigEnv } = flags;
    const prune = async (session: LeaseSession) => {
      refuseKubernetes(session, 'Delete the Node of a host that is gone: kubectl delete node NAME');
      const planned = await planOf(session, { subnets, max, force, backupDir, kubeconfigEnv });
      report.plan(planned, session);
      if (flags['dry-run']) return report.dryExitCode(planned.plan);
      assertAllowed(planned.plan);
      if (planned.plan.deletions.length === 0) return report.nothing(planned, session);
      const question = { count: planned.plan.deletions.length, language: this.language(flags) };
      if (!(await agreeToPrune(session, asking, question))) return report.nothing(planned, session);
      const say = (line: string) => this.note(line);
      return report.result(await pruned(session, planned, { what: 'prune', backupDir, say, flags }));
    };
    return withLeaseSession(flags, this.stopSignal(), prune);
  }
}
