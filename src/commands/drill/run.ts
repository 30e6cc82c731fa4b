import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { fitting } from '../../drill/fitting.ts';
import { exitCodeOf } from '../../drill/matrix.ts';
import { renderMatrixMarkdown, renderMatrixText } from '../../drill/matrix-text.ts';
import { chooseSets } from '../../drill/pairs.ts';
import { runDrill } from '../../drill/run.ts';
import { selectFaults } from '../../drill/select.ts';
import { clusterFlags, clusterRequest, faultSelection, NO_DEADLINE_MS } from '../../drill-flags.ts';
import { openDrillTools } from '../../drill-world.ts';
import type { ExitCode } from '../../errors.ts';
import { renderJson } from '../../render/json.ts';

export default class DrillRun extends BaseCommand {
  static override summary = 'Prove that every fault is found: inject, diagnose, repair, one after the other';
  static override description =
    'On clusters of its own: healthy before, injected, found by its id and nothing else called a root, repaired, healthy after. Exits 1 when a row does not hold, 2 when a fault could not be injected here.';
  static override examples = [
    'sudo <%= config.bin %> drill run',
    'sudo <%= config.bin %> drill run fdb-missing route-missing --store etcd',
    'sudo <%= config.bin %> drill run --pairs 45 --seed 7',
  ];
  static override strict = false;
  static override args = { fault: Args.string({ description: 'name of a fault, or id of a check; none: all' }) };
  static override flags = {
    ...clusterFlags,
    jobs: Flags.integer({ helpGroup: 'DRILL', min: 1, max: 16, default: 2, summary: 'clusters at the same time' }),
    pairs: Flags.integer({
      helpGroup: 'DRILL',
      min: 1,
      summary: 'inject this many pairs of independent faults instead',
    }),
    seed: Flags.integer({ helpGroup: 'DRILL', default: 1, summary: 'which pairs are chosen' }),
  };

  protected async execute(): Promise<ExitCode> {
    const { flags, argv } = await this.parse(DrillRun);
    const format = this.format(flags, ['text', 'json', 'markdown']);
    const named = selectFaults(faultSelection, argv.map(String));
    const { faults, skipped } = argv.length === 0 ? fitting(named, flags.store) : { faults: named, skipped: [] };
    const sets = chooseSets(faults, flags);
    const tools = await openDrillTools(this.deadline(NO_DEADLINE_MS));
    const tell = (line: string) => (flags.quiet ? undefined : this.note(line));
    const up = await clusterRequest(tools.host, flags);
    const matrix = await runDrill(tools, { up, sets, skipped, jobs: flags.jobs, tell });
    switch (format) {
      case 'json':
        this.print(renderJson(matrix));
        break;
      case 'markdown':
        this.print(renderMatrixMarkdown([matrix]));
        break;
      case 'text':
        this.print(renderMatrixText(matrix));
        break;
    }
    return tools.signal.reason === 'SIGTERM' ? 143 : exitCodeOf(matrix);
  }
}
