import type { OnceResult } from '../agent/once.ts';
import { BaseCommand } from '../base-command.ts';
import { parseDuration } from '../duration.ts';
import type { ExitCode } from '../errors.ts';
import { etcdSecrets, givenFlannelOptions } from '../flannel-flags.ts';
import { fromGoFlags } from '../go-flags.ts';
import { FLANNEL_DEFAULTS } from '../net/flannel-options.ts';
import { renderJson } from '../render/json.ts';
import { notesOf, overlayPlanDocument, renderOverlayPlan } from '../render/overlay-plan.ts';
import { refuseBesideOnce, upFlags } from '../up-flags.ts';

const DEFAULT_TIMEOUT = '10s';

type Telling = Record<'isDry' | 'isQuiet' | 'isVerbose', boolean> & { readonly format: 'text' | 'json' };

export default class Up extends BaseCommand {
  static override summary = "Bring flannel's vxlan overlay up on this node";
  static override description =
    'Acquires a lease, programs link, address, neighbours, forwarding entries and routes, writes subnet.env, and keeps all of it in order until it is told to stop; the data path stays then. With --once it leaves at once. Refuses while a flanneld runs here.';
  static override examples = [
    'sudo <%= config.bin %> up --etcd-endpoints https://10.0.0.1:2379 --iface eth0 --ip-masq',
    'sudo <%= config.bin %> up --kube-subnet-mgr --healthz-port 8081',
    'sudo <%= config.bin %> up --once --dry-run',
  ];
  static override flags = upFlags;

  protected async execute(): Promise<ExitCode> {
    this.argv = [...fromGoFlags(this.argv, { ...Up.baseFlags, ...Up.flags })];
    const { flags } = await this.parse(Up);
    const options = { ...FLANNEL_DEFAULTS, ...givenFlannelOptions(flags) };
    const timeoutMs = parseDuration(flags.timeout ?? DEFAULT_TIMEOUT, '--timeout');
    const secrets = await etcdSecrets(flags);
    const input = { root: flags.root, secrets, timeoutMs };
    const files = { leasesFile: flags['leases-file'], stateFile: flags['state-file'], cniConf: flags['cni-conf'] };
    if (flags.once || flags['dry-run']) {
      refuseBesideOnce(flags);
      const format = this.format(flags, ['text', 'json']);
      const { runOnce } = await import('../up-once.ts');
      const wishes = { isDry: flags['dry-run'], takeover: flags.takeover, files };
      const result = await runOnce({ ...input, options, ...wishes });
      return this.tell(result, { format, isDry: flags['dry-run'], isQuiet: flags.quiet, isVerbose: flags.verbose });
    }
    const { takeover, force, verbose } = flags;
    const settings = { options, onConflict: flags['on-conflict'], takeover, force, ...files };
    const { runNodeAgent } = await import('../up-session.ts');
    const say = (line: string) => this.note(line);
    const setsCondition = flags['set-node-network-unavailable'];
    const signal = this.stopSignal();
    await runNodeAgent({ ...input, settings, debug: verbose, setsCondition, say }, signal);
    return signal.reason === 'SIGINT' ? 130 : 0;
  }

  private tell(result: OnceResult, how: Telling): ExitCode {
    const { format, isDry } = how;
    this.print(format === 'json' ? renderJson(overlayPlanDocument(result, isDry)) : renderOverlayPlan(result, isDry));
    for (const line of notesOf(result, how)) this.note(line);
    return 0;
  }
}
