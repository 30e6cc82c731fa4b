import { Args, loadHelpClass } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { calledCommand } from '../called-command.ts';
import type { ExitCode } from '../errors.ts';
import { renderExitCodes } from '../render/exit-codes.ts';

export default class Help extends BaseCommand {
  static override summary = 'Show the help of a command, or what the exit codes mean';
  static override examples = [
    '<%= config.bin %> help',
    '<%= config.bin %> help drill up',
    '<%= config.bin %> help exit-codes --lang zh',
  ];
  static override strict = false;
  static override args = { topic: Args.string({ description: 'words of a command, or exit-codes' }) };

  protected async execute(): Promise<ExitCode> {
    const { flags, argv } = await this.parse(Help);
    const words = argv.map(String);
    if (words[0] === 'exit-codes') {
      this.print(renderExitCodes(this.language(flags)));
      return 0;
    }
    calledCommand(words, this.config.commandIDs);
    const HelpClass = await loadHelpClass(this.config);
    await new HelpClass(this.config).showHelp(words);
    return 0;
  }
}
