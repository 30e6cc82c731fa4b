import { Flags } from '@oclif/core';
import { openStatus } from '../agent-session.ts';
import { BaseCommand } from '../base-command.ts';
import { parseDuration } from '../duration.ts';
import type { ExitCode } from '../errors.ts';
import { etcdSecrets, flannelFlags, givenFlannelOptions } from '../flannel-flags.ts';
import { type AgentReport, agentStatusDocument, renderAgentStatus, statusExitCode } from '../render/agent-status.ts';
import { renderJson } from '../render/json.ts';
import { safeJson } from '../render/safe-json.ts';
import { watchStatus } from '../status-watch.ts';
import { upFlags } from '../up-flags.ts';

export default class Status extends BaseCommand {
  static override summary = 'Say whether the overlay of this node is in order';
  static override description =
    'Compares what the kernel should hold with what it holds. Exit code: 0 in order, 1 drift, 2 something could not be looked at, 3 down. With --watch -o json each line is a document; SIGTERM is its normal end.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status -o json --wait 30s'];
  static override flags = {
    ...flannelFlags,
    'state-file': upFlags['state-file'],
    wait: Flags.string({ summary: 'wait that long at most for it to be in order' }),
    watch: Flags.boolean({ default: false, summary: 'say it again whenever it changes' }),
  };

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(Status);
    const format = this.format(flags, ['text', 'json']);
    const session = await openStatus({
      root: flags.root,
      given: givenFlannelOptions(flags),
      secrets: await etcdSecrets(flags),
      timeoutMs: parseDuration(flags.timeout ?? '10s', '--timeout'),
      stateFile: flags['state-file'],
    });
    const json = (report: AgentReport) =>
      flags.watch ? safeJson(agentStatusDocument(report)) : renderJson(agentStatusDocument(report));
    const say = (report: AgentReport) => this.print(format === 'json' ? json(report) : renderAgentStatus(report));
    const waitMs = flags.wait === undefined ? 0 : parseDuration(flags.wait, '--wait');
    const signal = this.stopSignal();
    try {
      const { overlay } = await watchStatus(session, { say, waitMs, isEndless: flags.watch }, signal);
      if (signal.reason === 'SIGINT') return 130;
      if (!signal.aborted) return statusExitCode(overlay);
      return flags.watch ? 0 : 143;
    } finally {
      await session.close();
    }
  }
}
