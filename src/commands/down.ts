import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { parseDuration } from '../duration.ts';
import type { ExitCode } from '../errors.ts';
import { etcdSecrets, givenFlannelOptions } from '../flannel-flags.ts';
import { downDocument, renderDown } from '../render/agent-status.ts';
import { renderJson } from '../render/json.ts';
import { upFlags } from '../up-flags.ts';

export default class Down extends BaseCommand {
  static override summary = "Take flannel's vxlan overlay down on this node";
  static override description =
    'Removes the flannel devices with their routes and entries, the packet filter rules and subnet.env. What others changed stays, and so does the lease, unless --release is given. Refuses while the agent or a flanneld runs here.';
  static override examples = ['sudo <%= config.bin %> down', 'sudo <%= config.bin %> down --release'];
  static override flags = {
    ...upFlags,
    release: Flags.boolean({ default: false, summary: 'give the lease back, too' }),
  };

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(Down);
    const format = this.format(flags, ['text', 'json']);
    const { runDown } = await import('../agent-session.ts');
    const result = await runDown({
      root: flags.root,
      given: givenFlannelOptions(flags),
      secrets: await etcdSecrets(flags),
      timeoutMs: parseDuration(flags.timeout ?? '10s', '--timeout'),
      stateFile: flags['state-file'],
      cniConf: flags['cni-conf'],
      release: flags.release,
    });
    this.print(format === 'json' ? renderJson(downDocument(result)) : renderDown(result));
    return 0;
  }
}
