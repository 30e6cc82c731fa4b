import { Args } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { applyFault } from '../../drill/apply-fault.ts';
import { findRecord } from '../../drill/record.ts';
import { selectFault } from '../../drill/select.ts';
import { faultSelection, NO_DEADLINE_MS, whichNode } from '../../drill-flags.ts';
import { openDrillTools } from '../../drill-world.ts';
import type { ExitCode } from '../../errors.ts';
import { renderJson } from '../../render/json.ts';

export default class DrillHeal extends BaseCommand {
  static override summary = 'Undo what drill break did to a node';
  static override description = 'Also half of an injection that failed, and also after doctor --fix has repaired it.';
  static override examples = [
    'sudo <%= config.bin %> drill heal fdb-missing',
    'sudo <%= config.bin %> drill heal route-missing --node 2',
  ];
  static override args = {
    fault: Args.string({ required: true, description: 'name of the fault, or id of a check that has one fault' }),
  };
  static override flags = whichNode;

  protected async execute(): Promise<ExitCode> {
    const { args, flags } = await this.parse(DrillHeal);
    const format = this.format(flags, ['text', 'json']);
    const fault = selectFault(faultSelection, args.fault);
    const tools = await openDrillTools(this.deadline(NO_DEADLINE_MS));
    const record = await findRecord(tools.host, flags.tag);
    await applyFault(tools, { record, index: flags.node }, { fault, verb: 'heal' });
    const done = { fault: fault.name, check: fault.check, node: flags.node, tag: record.tag, state: 'healed' };
    const document = { apiVersion: 'flannelctl.dev/v1', kind: 'DrillFault', ...done };
    this.print(
      format === 'json' ? renderJson(document) : `${fault.name} healed on node ${flags.node} (${fault.title})`,
    );
    return 0;
  }
}
