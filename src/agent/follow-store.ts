import type { FlannelctlError } from '../errors.ts';
import type { StoreEvent } from '../store/store.ts';
import type { Board } from './board.ts';
import { refuseForeignCluster } from './cluster.ts';
import { judgeRecord } from './lease-care.ts';
import { problemText } from './problem.ts';
import { pause } from './waker.ts';

/** Between two tries while the datastore has not answered yet. */
const RETRY_MS = 1000;

/** Follows the leases until `signal` aborts; the store's own watch goes on over gaps, only its first snapshot may fail. */
export async function followStore(board: Board, signal: AbortSignal): Promise<void> {
  const { store, clock, measures, log } = board.parts;
  let told = '';
  const interrupted = (problem: string) => {
    measures.datastoreError('watch');
    board.book.interrupt();
    if (problem !== told) log.warn('the leases cannot be followed at the moment', { error: problem });
    told = problem;
  };
  const onInterruption = (error: FlannelctlError) => interrupted(error.message);
  while (!signal.aborted) {
    try {
      for await (const event of store.watch(signal, { onInterruption, ttl: false })) {
        take(board, event);
        told = '';
      }
    } catch (error) {
      interrupted(problemText(error));
    }
    await pause(clock, RETRY_MS, signal);
  }
}

function take(board: Board, event: StoreEvent): void {
  if (event.type === 'snapshot') refuseForeignCluster(board, event.listing);
  board.book.learn(event);
  board.look.ring('leases');
  if (event.type === 'put') board.fresh.ring('lease');
  const { log } = board.parts;
  if (event.type !== 'snapshot') {
    doubt(board, event.type === 'put' ? event.record.key : event.key);
    return;
  }
  log.info('read all leases', { leases: event.listing.records.length, because: event.because ?? 'start' });
  board.care.ring('the datastore answers');
  doubt(board, undefined);
}

/** Our own record changed under us, or another host's took what is ours: it is read before anything is written. */
function doubt(board: Board, key: string | undefined): void {
  const { own, book } = board;
  if (own.status !== 'held') {
    if (key === undefined || own.status === 'conflict') board.care.ring('leases changed');
    return;
  }
  if (key !== undefined && key !== own.lease.key) return;
  if (judgeRecord(own.lease, book.get(own.lease.key)) === 'unchanged') return;
  board.inDoubt = true;
  board.care.ring('our record changed');
}
