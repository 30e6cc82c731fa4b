import { removeDrill } from './down.ts';
import { buildMatrix, type DrillMatrix, holds, type MatrixParts, type MatrixRow, type NotInjected } from './matrix.ts';
import type { FaultSet } from './pairs.ts';
import { type Bench, type RowOutcome, runRow } from './row.ts';
import type { DrillTools } from './tools.ts';
import { bringUp, type UpRequest } from './up.ts';

export interface RunRequest {
  readonly up: UpRequest;
  /** A row each: one fault, or several at once. */
  readonly sets: readonly FaultSet[];
  /** What was left out before, for the document. */
  readonly skipped?: MatrixParts['skipped'];
  /** Clusters at the same time. */
  readonly jobs: number;
  /** One line for a person, as rows finish. */
  readonly tell: (line: string) => void;
}

/** Runs every row on clusters of its own and removes them. Interrupted: the rows that were finished, `complete: false`. */
export async function runDrill(tools: DrillTools, request: RunRequest): Promise<DrillMatrix> {
  const startedAt = tools.clock.monotonic();
  const shift: Shift = { queue: [...request.sets], rows: [], notInjected: [] };
  const workers = Array.from({ length: Math.min(request.jobs, request.sets.length) }, () =>
    work(tools, request, shift),
  );
  const ended = await Promise.allSettled(workers);
  const failure = ended.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined && !tools.signal.aborted) throw failure.reason;
  const { rows, notInjected } = shift;
  const durationMs = Math.round(tools.clock.monotonic() - startedAt);
  return buildMatrix({
    rows,
    notInjected,
    skipped: request.skipped ?? [],
    complete: !tools.signal.aborted,
    durationMs,
  });
}

interface Shift {
  readonly queue: FaultSet[];
  readonly rows: MatrixRow[];
  readonly notInjected: NotInjected[];
}

/** Rows of the queue one after the other; a cluster that is not healthy at the end of a row is replaced. */
async function work(tools: DrillTools, request: RunRequest, shift: Shift): Promise<void> {
  let bench: Bench | undefined;
  try {
    for (let faults = shift.queue.shift(); faults !== undefined; faults = shift.queue.shift()) {
      tools.signal.throwIfAborted();
      bench ??= { record: await bringUp(tools, request.up), isHealthy: false };
      const outcome = await unlessAborted(tools.signal, runRow(tools, bench, faults));
      collect(outcome, shift, request.tell);
      if (outcome.isHealthy) bench = { record: bench.record, isHealthy: true };
      else {
        await removeDrill(tools, bench.record.tag);
        bench = undefined;
      }
    }
  } catch (error) {
    // Nobody begins another row: the others end after theirs.
    shift.queue.length = 0;
    throw error;
  } finally {
    if (bench !== undefined) await removeDrill(tools, bench.record.tag);
  }
}

/** A row that is given up goes on until its cluster is gone under it; nobody waits for what becomes of it. */
function unlessAborted<T>(signal: AbortSignal, working: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([working, promise]).finally(() => signal.removeEventListener('abort', onAbort));
}

function collect({ row, notInjected }: RowOutcome, shift: Shift, tell: RunRequest['tell']): void {
  shift.notInjected.push(...notInjected);
  for (const { fault, reason } of notInjected) tell(`${fault}: could not be injected here: ${reason}`);
  if (row === undefined) return;
  shift.rows.push(row);
  const verdict = holds(row) ? 'found, repaired, healthy' : `does not hold: ${row.details.join('; ') || 'false alarm'}`;
  tell(`${row.fault} (${(row.durationMs / 1000).toFixed(1)}s): ${verdict}`);
}
