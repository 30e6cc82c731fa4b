import { Flags } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { findDrills, removeDrill } from '../../drill/down.ts';
import { findRecord } from '../../drill/record.ts';
import { NO_DEADLINE_MS, whichDrill } from '../../drill-flags.ts';
import { openDrillTools } from '../../drill-world.ts';
import type { ExitCode } from '../../errors.ts';
import { renderJson } from '../../render/json.ts';

export default class DrillDown extends BaseCommand {
  static override summary = 'Remove a drill and everything it made';
  static override description =
    'The latest one, or --tag; --all removes every drill and whatever a crash left behind, found by its processes and directories.';
  static override examples = ['sudo <%= config.bin %> drill down', 'sudo <%= config.bin %> drill down --all'];
  static override flags = {
    ...whichDrill,
    all: Flags.boolean({ helpGroup: 'DRILL', summary: 'every drill, and what a crash left', exclusive: ['tag'] }),
  };

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(DrillDown);
    const format = this.format(flags, ['text', 'json']);
    const tools = await openDrillTools(this.deadline(NO_DEADLINE_MS));
    const tags = flags.all ? await findDrills(tools) : [(await findRecord(tools.host, flags.tag)).tag];
    await Promise.all(tags.map((tag) => removeDrill(tools, tag)));
    const document = { apiVersion: 'flannelctl.dev/v1', kind: 'DrillRemoval', removed: tags };
    const sentence = tags.length === 0 ? 'no drill is up, and none left anything' : `removed ${tags.join(', ')}`;
    this.print(format === 'json' ? renderJson(document) : sentence);
    return 0;
  }
}
