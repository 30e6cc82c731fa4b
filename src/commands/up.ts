import { Flags } from '@oclif/core';
import { previewOnce, upOnce } from '../agent/once.ts';
import { BaseCommand } from '../base-command.ts';
import { parseDuration } from '../duration.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { etcdSecrets, flannelFlags, givenFlannelOptions } from '../flannel-flags.ts';
import { FLANNEL_DEFAULTS } from '../net/flannel-options.ts';
import { renderJson } from '../render/json.ts';
import { ignoredLeases, overlayPlanDocument, renderOverlayPlan } from '../render/overlay-plan.ts';
import { selectStore } from '../store/selection.ts';

const DEFAULT_TIMEOUT = '10s';

export default class Up extends BaseCommand {
  static override summary = "Bring flannel's vxlan overlay up on this node";
  static override description =
    'Acquires a lease, programs link, address, neighbours, forwarding entries and routes, writes subnet.env, and leaves. Refuses while a flanneld runs here.';
  static override examples = [
    'sudo <%= config.bin %> up --once --dry-run',
    'sudo <%= config.bin %> up --once --etcd-endpoints https://10.0.0.1:2379 --iface eth0',
  ];
  static override flags = {
    ...flannelFlags,
    once: Flags.boolean({ default: false, summary: 'program the overlay once and leave' }),
    'dry-run': Flags.boolean({ default: false, summary: 'show what would be done; write nothing, take no lease' }),
  };

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(Up);
    if (!flags.once) throw new UsageError('up runs once: pass --once', { hint: 'flannelctl up --once --dry-run' });
    const format = this.format(flags, ['text', 'json']);
    const options = { ...FLANNEL_DEFAULTS, ...givenFlannelOptions(flags) };
    const { openWorld } = await import('../wire.ts');
    const world = await openWorld({ root: flags.root });
    const timeoutMs = parseDuration(flags.timeout ?? DEFAULT_TIMEOUT, '--timeout');
    const store = await world.openStore(selectStore(options), { secrets: await etcdSecrets(flags), timeoutMs });
    const input = { options, host: world.host, store };
    try {
      const isDry = flags['dry-run'];
      const result = isDry ? await previewOnce(input) : await upOnce({ ...input, writer: await world.writer() });
      this.print(format === 'json' ? renderJson(overlayPlanDocument(result, isDry)) : renderOverlayPlan(result, isDry));
      if (!flags.quiet) for (const line of ignoredLeases(result)) this.note(line);
    } finally {
      await store.close();
    }
    return 0;
  }
}
