import { Flags } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { NO_DEADLINE_MS } from '../../drill-flags.ts';
import { parseDuration } from '../../duration.ts';
import { UsageError } from '../../errors.ts';
import { relay } from '../../wire.ts';

/** Run by a fault inside of a node; not for people. */
export default class DrillRelay extends BaseCommand {
  static override hidden = true;
  static override summary = 'Pass TCP connections on, late';
  static override flags = {
    from: Flags.string({ required: true, summary: 'HOST:PORT to listen on' }),
    to: Flags.string({ required: true, summary: 'HOST:PORT to pass connections on to' }),
    delay: Flags.string({ required: true, summary: 'how long data is held back in each direction' }),
  };

  protected async execute(): Promise<number> {
    const { flags } = await this.parse(DrillRelay);
    const delayMs = parseDuration(flags.delay, '--delay');
    await relay({ from: addressOf(flags.from), to: addressOf(flags.to), delayMs }, this.deadline(NO_DEADLINE_MS));
    return 0;
  }
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const match = /^([\w.-]+):(\d{1,5})$/.exec(text);
  if (match?.[1] === undefined) throw new UsageError(`${JSON.stringify(text)} is no HOST:PORT`);
  return { host: match[1], port: Number(match[2]) };
}
