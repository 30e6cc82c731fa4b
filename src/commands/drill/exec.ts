import { Args } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { terminalCommand } from '../../drill/enter.ts';
import { findRecord, nodeRecord } from '../../drill/record.ts';
import { NO_DEADLINE_MS, whichDrill } from '../../drill-flags.ts';
import { openDrillTools } from '../../drill-world.ts';
import { UsageError } from '../../errors.ts';
import { runOnTerminal } from '../../wire.ts';

export default class DrillExec extends BaseCommand {
  static override summary = 'Run a program in a node of a drill, on this terminal';
  static override description = 'The exit code is that of the program. In a node, flannelctl is this executable.';
  static override examples = [
    'sudo <%= config.bin %> drill exec 1 -- flannelctl doctor',
    'sudo <%= config.bin %> drill exec 2 -- ip netns exec pod ping -c 3 10.244.1.2',
    'sudo <%= config.bin %> drill exec 1 -- bash',
  ];
  static override strict = false;
  static override args = {
    node: Args.integer({ required: true, min: 1, description: 'number of the node' }),
  };
  static override flags = whichDrill;

  protected async execute(): Promise<number> {
    const { args, flags, argv } = await this.parse(DrillExec);
    const [program, ...rest] = argv.slice(1).map(String);
    if (program === undefined) {
      throw new UsageError('there is no program to run', {
        hint: 'Write it behind two dashes: drill exec 1 -- ip addr',
      });
    }
    const { host } = await openDrillTools(this.deadline(NO_DEADLINE_MS));
    const { holder } = nodeRecord(await findRecord(host, flags.tag), args.node);
    return runOnTerminal(terminalCommand(holder, [program, ...rest]));
  }
}
