import { afterEach, describe, expect, it } from 'vitest';
import { followStore } from '../../src/agent/follow-store.ts';
import { problemsOf } from '../../src/agent/health.ts';
import { heldLease } from '../../src/agent/lease-keeper.ts';
import type { Lease, StoreEvent, SubnetStore } from '../../src/store/store.ts';
import { aLease } from '../dataplane/builders.ts';
import { fakeNode, listing, ownLease, unreachable } from './fake-node.ts';

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

/** A store whose watch fails that often, then tells the events and stays silent. */
function failing(times: number, events: readonly StoreEvent[], tries: number[] = []): Partial<SubnetStore> {
  return {
    async *watch(signal) {
      tries.push(tries.length);
      if (tries.length <= times) throw unreachable();
      yield* events;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  };
}

const snapshot = (...records: readonly Lease[]): StoreEvent => ({
  type: 'snapshot',
  listing: listing(records),
  because: null,
});

describe('following the leases', () => {
  it('is tried again every second when the first listing fails, and the node is not ready until then', async () => {
    const tries: number[] = [];
    const { board, clock } = fakeNode({ store: failing(3, [snapshot(ownLease(), aLease(2))], tries) });
    void followStore(board, stop.signal);
    await clock.advance(2_999);
    expect([tries.length, board.book.source, problemsOf(board)]).toEqual([
      3,
      'nowhere',
      ['the overlay has not been programmed yet'],
    ]);
    await clock.advance(1);
    expect([board.book.source, board.book.records.length]).toEqual(['datastore', 2]);
  });

  it('says once that it failed, and counts each time', async () => {
    const { board, clock, log, datastoreErrors } = fakeNode({ store: failing(2, []) });
    void followStore(board, stop.signal);
    await clock.advance(5_000);
    expect(log).toEqual(['warn the leases cannot be followed at the moment etcd refused the connection']);
    expect(datastoreErrors).toEqual(['watch', 'watch']);
  });

  it('lets nobody be removed between a watch that ended and the next snapshot', async () => {
    let end: () => void = () => undefined;
    const { board, clock } = fakeNode({
      store: {
        async *watch() {
          yield snapshot(ownLease());
          await new Promise<void>((resolve) => {
            end = resolve;
          });
          throw unreachable();
        },
      },
    });
    void followStore(board, stop.signal);
    await clock.advance(10);
    end();
    await clock.advance(10);
    expect(board.book.source).toBe('interrupted');
  });

  it('ends when it is told to, also between two tries', async () => {
    const tries: number[] = [];
    const { board, clock } = fakeNode({ store: failing(9, [], tries) });
    const ended = followStore(board, stop.signal);
    await clock.advance(1_500);
    stop.abort();
    await ended;
    expect(tries).toHaveLength(2);
  });
});

describe('a key that begins as ours does', () => {
  const own = ownLease();
  const beside = { ...ownLease({ modRevision: '8' }), key: `${own.key}&fc00:0:0:1::-64` };

  it.each<[string, StoreEvent]>([
    ['written', { type: 'put', record: beside, revision: '8' }],
    ['deleted', { type: 'delete', key: beside.key, revision: '9' }],
  ])('says nothing of our lease when it is %s', async (_what, event) => {
    const { board, clock } = fakeNode({ store: failing(0, [snapshot(own), event]) });
    board.own = heldLease(board, own, board.wanted);
    void followStore(board, stop.signal);
    await clock.advance(100);
    expect([board.inDoubt, board.own.status]).toEqual([false, 'held']);
  });

  it('does not hide that ours was deleted', async () => {
    const { board, clock } = fakeNode({
      store: failing(0, [snapshot(own), { type: 'delete', key: own.key, revision: '9' }]),
    });
    board.own = heldLease(board, own, board.wanted);
    void followStore(board, stop.signal);
    await clock.advance(100);
    expect(board.inDoubt).toBe(true);
  });
});
