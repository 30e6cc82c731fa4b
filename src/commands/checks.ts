import { BaseCommand } from '../base-command.ts';
import type { ExitCode } from '../errors.ts';
import { checkLists } from '../generated/check-list.ts';
import { renderCheckTable } from '../render/check-table.ts';
import { renderJson } from '../render/json.ts';

export default class Checks extends BaseCommand {
  static override summary = 'List the checks of doctor';
  static override description =
    'Id, group, severity, what each check reads, and whether doctor --fix can repair what it finds.';
  static override examples = [
    '<%= config.bin %> checks',
    '<%= config.bin %> checks -o json',
    '<%= config.bin %> checks --lang zh',
  ];

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(Checks);
    const format = this.format(flags, ['text', 'json', 'name']);
    const list = checkLists[this.language(flags)];
    switch (format) {
      case 'json':
        this.print(renderJson(list));
        break;
      case 'name':
        this.print(list.checks.map(({ id }) => id).join('\n'));
        break;
      case 'text':
        this.print(renderCheckTable(list));
        break;
    }
    return 0;
  }
}
