import { Args, Flags } from '@oclif/core';
import { BaseCommand, type Language } from '../base-command.ts';
import { matchLog } from '../doctor/log-match.ts';
import { resolve } from '../doctor/selection.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { checks } from '../generated/checks.ts';
import { renderJson } from '../render/json.ts';
import { renderLogMatches } from '../render/log-matches.ts';

const API = { apiVersion: 'flannelctl.dev/v1' } as const;

export default class Explain extends BaseCommand {
  static override summary = 'Say what a failure mode is, how it is proved and how it is repaired';
  static override description =
    'Offline. With --log, lines of flanneld, kubelet, k3s or containerd are matched to failure modes.';
  static override examples = [
    '<%= config.bin %> explain vxlan-port-blocked',
    'journalctl -u flanneld | <%= config.bin %> explain --log -',
  ];
  static override args = { check: Args.string({ description: 'id of a check' }) };
  static override flags = { log: Flags.string({ summary: 'match the lines of this file (-: standard input)' }) };

  protected async execute(): Promise<ExitCode> {
    const { args, flags } = await this.parse(Explain);
    const format = this.format(flags, ['text', 'json']);
    if (flags.log !== undefined) return this.explainLog(flags.log, format);
    if (args.check === undefined) throw new UsageError('explain takes the id of a check, or --log FILE');
    return this.explainCheck(args.check, this.language(flags), format);
  }

  private async explainCheck(name: string, language: Language, format: 'text' | 'json'): Promise<ExitCode> {
    const { pages } = await import('../generated/pages.ts');
    const found = [...resolve(checks, [name])].map(({ id }) => ({ id, page: pages[language][id] ?? '' }));
    this.print(
      format === 'json'
        ? renderJson({ ...API, kind: 'Explanation', language, checks: found })
        : found.map(({ page }) => page).join('\n'),
    );
    return 0;
  }

  private async explainLog(path: string, format: 'text' | 'json'): Promise<ExitCode> {
    const { readInput } = await import('../wire.ts');
    const matches = matchLog(checks, await readInput(path));
    this.print(format === 'json' ? renderJson({ ...API, kind: 'LogMatches', matches }) : renderLogMatches(matches));
    return 0;
  }
}
