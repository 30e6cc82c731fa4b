import type { HostWriter } from '../host/host.ts';
import type { Batch } from './batch.ts';
import { type Line, lineText } from './render.ts';

/** What was tried so far. */
export interface Attempts {
  readonly tried: Set<Line>;
  /** What `ip` or `bridge` said of a line, by its text. */
  readonly complaints: Map<string, string>;
}

export interface PhaseRun {
  readonly writer: HostWriter;
  readonly batches: readonly Batch[];
  readonly attempts: Attempts;
}

/** Batches in which the culprit is looked for, at most: a kernel that refuses every line (a full table) is not asked a thousand times. */
const MAX_SPLITS = 60;

/** Two, so that the next process starts while the kernel works for this one; the kernel takes one change at a time anyway. */
const AT_ONCE = 2;

/** Runs the batches of one phase. */
export async function runPhase({ writer, batches, attempts }: PhaseRun): Promise<void> {
  const open = [...batches];
  const work = async () => {
    for (let batch = open.shift(); batch !== undefined; batch = open.shift()) await runBatch(writer, batch, attempts);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/**
 * Gives the lines to one `-force -batch` process. iproute2 goes on after most errors and names the line, but a kernel error on a
 * neighbour line and any argument it cannot read end the batch without a word on where: then the rest is halved until one line is left.
 */
async function runBatch(writer: HostWriter, { tool, lines: all }: Batch, attempts: Attempts): Promise<void> {
  for (const line of all) attempts.tried.add(line);
  const open: (readonly Line[])[] = [all];
  let splits = 0;
  for (let lines = open.pop(); lines !== undefined; lines = open.pop()) {
    const { complaints, abort } = await runLines(writer, tool, lines);
    for (const { index, message } of complaints) note(attempts, lines[index], message);
    if (abort === undefined) continue;
    const rest = lines.slice((complaints.at(-1)?.index ?? -1) + 1);
    splits += 1;
    if (rest.length <= 1 || splits > MAX_SPLITS) for (const line of rest) note(attempts, line, abort);
    else open.push(rest.slice(rest.length / 2), rest.slice(0, rest.length / 2));
  }
}

interface Outcome {
  readonly complaints: readonly { readonly index: number; readonly message: string }[];
  /** Why the batch ended early; `undefined`: it was read to its end. */
  readonly abort: string | undefined;
}

async function runLines(writer: HostWriter, tool: Line['tool'], lines: readonly Line[]): Promise<Outcome> {
  const input = `${lines.map(({ words }) => words.join(' ')).join('\n')}\n`;
  const { exitCode, stderr } = await writer.run([tool, '-force', '-batch', '-'], { input, timeoutMs: 60_000 });
  return parseBatchErrors(exitCode, stderr);
}

/** Messages of a batch read from standard input: one or more lines, then `Command failed -:N` (iproute2 6.1). */
export function parseBatchErrors(exitCode: number, stderr: string): Outcome {
  const complaints: { index: number; message: string }[] = [];
  let said: string[] = [];
  for (const line of stderr.split('\n').filter((text) => text.trim() !== '')) {
    const failed = /^Command failed -:(\d+)$/.exec(line);
    if (failed === null) said.push(line.trim());
    else complaints.push({ index: Number(failed[1]) - 1, message: said.join(' ') || 'failed' });
    if (failed !== null) said = [];
  }
  const isAborted = exitCode !== 0 && (said.length > 0 || complaints.length === 0);
  return { complaints, abort: isAborted ? said.join(' ') || `exit ${exitCode}` : undefined };
}

function note({ complaints }: Attempts, line: Line | undefined, message: string): void {
  if (line !== undefined) complaints.set(lineText(line), message);
}
