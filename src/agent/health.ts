import { FlannelctlError } from '../errors.ts';
import type { Closable, HttpAnswer } from '../host/resident.ts';
import type { Board } from './board.ts';
import type { GaugeValues } from './measures.ts';
import { problemText } from './problem.ts';
import { RESYNC_MS } from './settings.ts';
import { pause } from './waker.ts';

const RETRY_MS = 10_000;

/** A loop that has not come round for that long hangs. */
export const STALLED_MS = 2 * RESYNC_MS;

/** What the judgement of an agent looks at. */
export type Judged = Pick<Board, 'problems' | 'lastRound' | 'own'> & { readonly parts: Pick<Board['parts'], 'clock'> };

/** What /readyz says; empty: all is in order. */
export function problemsOf(board: Judged): readonly string[] {
  const { problems, lastRound, own, parts } = board;
  const now = parts.clock.monotonic();
  const isStalled = lastRound !== undefined && now - lastRound.at > STALLED_MS;
  const isOver = own.status === 'held' && own.endsAt !== null && own.endsAt <= now;
  return [
    ...problems.values(),
    ...(isOver && !problems.has('lease') ? ['the lease was not renewed in time'] : []),
    ...(isStalled ? [`the last look at the kernel was ${Math.round((now - lastRound.at) / 1000)} s ago`] : []),
  ];
}

/** Serves /healthz, /readyz and /metrics until `signal` aborts. A port that is taken is tried again: it must not end the agent. */
export async function serveHealth(
  board: () => Board | undefined,
  place: HealthPlace,
  signal: AbortSignal,
): Promise<void> {
  const { resident, log, clock } = place;
  let server: Closable | undefined;
  while (server === undefined && !signal.aborted) {
    try {
      server = await resident.serve(place, (path) => answer(board(), path));
      log.info('serving health', { address: place.address, port: place.port });
    } catch (error) {
      if (!(error instanceof FlannelctlError)) throw error;
      log.error('health is not served; trying again', { error: problemText(error) });
      await pause(clock, RETRY_MS, signal);
    }
  }
  await aborted(signal);
  await server?.close();
}

export type HealthPlace = Pick<Board['parts'], 'resident' | 'log' | 'clock'> & {
  readonly address: string;
  readonly port: number;
};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function answer(board: Board | undefined, path: string): Promise<HttpAnswer> {
  switch (path) {
    case '/healthz':
      return plain(200, 'ok');
    case '/readyz':
      return board === undefined ? ready(['starting'], []) : ready(problemsOf(board), notesOf(board));
    case '/metrics': {
      const body = board === undefined ? '' : await board.parts.measures.text(gaugesOf(board));
      return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body };
    }
    default:
      return plain(404, 'not found');
  }
}

function ready(problems: readonly string[], notes: readonly string[]): HttpAnswer {
  return problems.length === 0 ? plain(200, ['ready', ...notes].join('\n')) : plain(503, problems.join('\n'));
}

/** What is known of the peers may be out of date while all that is known is programmed: no reason to call the node unready. */
function notesOf({ book }: Board): readonly string[] {
  switch (book.source) {
    case 'nowhere':
    case 'datastore':
      return [];
    case 'interrupted':
      return ['the datastore does not answer; peers are as it said last'];
    case 'memory':
      return ['the datastore has not answered since the start; peers are as last known'];
  }
}

function plain(status: number, text: string): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

function gaugesOf(board: Board): GaugeValues {
  const { own, lastRound, parts } = board;
  const endsAt = own.status === 'held' ? own.endsAt : null;
  return {
    peers: lastRound?.desired.peers.length ?? 0,
    leaseSecondsLeft: endsAt === null ? null : Math.max(0, (endsAt - parts.clock.monotonic()) / 1000),
    isReady: problemsOf(board).length === 0,
    driftLeft: lastRound?.drift.length ?? 0,
    peersHeldBack: lastRound?.heldBack.length ?? 0,
  };
}
