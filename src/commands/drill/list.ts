import { BaseCommand } from '../../base-command.ts';
import { nodesOf } from '../../drill/cluster.ts';
import { buildList, describeCluster, renderList } from '../../drill/list.ts';
import { listRecords } from '../../drill/record.ts';
import { faultSelection, NO_DEADLINE_MS } from '../../drill-flags.ts';
import { openDrillTools } from '../../drill-world.ts';
import type { ExitCode } from '../../errors.ts';
import { renderJson } from '../../render/json.ts';

export default class DrillList extends BaseCommand {
  static override summary = 'List the faults that can be injected, and the drills that are up';
  static override examples = ['<%= config.bin %> drill list', '<%= config.bin %> drill list -o json'];

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(DrillList);
    const format = this.format(flags, ['text', 'json', 'name']);
    const tools = await openDrillTools(this.deadline(NO_DEADLINE_MS));
    const clusters = (await listRecords(tools.host)).map((record) => describeCluster(record, nodesOf(tools, record)));
    const list = buildList(faultSelection.faults, clusters);
    switch (format) {
      case 'json':
        this.print(renderJson(list));
        break;
      case 'name':
        this.print(list.faults.map(({ name }) => name).join('\n'));
        break;
      case 'text':
        this.print(renderList(list));
        break;
    }
    return 0;
  }
}
