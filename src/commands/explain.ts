import { Args, Flags } from '@oclif/core';
import { BaseCommand, type Language } from '../base-command.ts';
import { matchLog } from '../doctor/log-match.ts';
import { resolve } from '../doctor/selection.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { checkLists } from '../generated/check-list.ts';
import { renderJson } from '../render/json.ts';
import { renderLogMatches } from '../render/log-matches.ts';
import { wordsOf } from '../render/words.ts';

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
    const language = this.language(flags);
    if (flags.log !== undefined && args.check !== undefined) {
      throw new UsageError('explain takes the id of a check or --log FILE, not both');
    }
    if (flags.log !== undefined) return this.explainLog(flags.log, language, format);
    if (args.check === undefined) throw new UsageError('explain takes the id of a check, or --log FILE');
    return this.explainCheck(args.check, language, format);
  }

  private async explainCheck(name: string, language: Language, format: 'text' | 'json'): Promise<ExitCode> {
    const { pages } = await import('../generated/pages.ts');
    const found = [...resolve(checkLists[language].checks, [name])].map(({ id }) => ({
      id,
      page: pages[language][id] ?? '',
    }));
    this.print(
      format === 'json'
        ? renderJson({ ...API, kind: 'Explanation', language, checks: found })
        : found.map(({ page }) => page).join('\n'),
    );
    return 0;
  }

  private async explainLog(path: string, language: Language, format: 'text' | 'json'): Promise<ExitCode> {
    const [{ readInput }, { checks }] = await Promise.all([import('../wire.ts'), import('../generated/checks.ts')]);
    const matches = matchLog(checks, await readInput(path));
    const { pages } = await import('../generated/pages.ts');
    const leadOf = (id: string) => pages[language][id]?.split('\n')[2];
    const text = () => renderLogMatches(matches, leadOf, wordsOf(language));
    this.print(format === 'json' ? renderJson({ ...API, kind: 'LogMatches', matches }) : text());
    return 0;
  }
}
