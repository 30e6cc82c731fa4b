import { afterEach, describe, expect, it } from 'vitest';
import { followStore } from '../../src/agent/follow-store.ts';
import { heldLease, keepLease } from '../../src/agent/lease-keeper.ts';
import { ConflictError } from '../../src/errors.ts';
import type { Lease, StoreEvent, SubnetStore } from '../../src/store/store.ts';
import { fakeNode, listing, ownLease, unreachable } from './fake-node.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

interface Scene {
  readonly store?: Partial<SubnetStore>;
  /** Default 24 h. */
  readonly leftMs?: number;
}

/** A node that holds its lease; `renewals` are monotonic ms since the start. */
function keeping({ store = {}, leftMs = 24 * HOUR }: Scene = {}) {
  const renewals: number[] = [];
  let revision = 1;
  const node = fakeNode({
    store: {
      renew: async (lease, attributes) => {
        renewals.push(node.clock.monotonic() - startedAt);
        revision += 1;
        return { ...lease, attributes, modRevision: String(revision), expiresAt: node.clock.now() + 24 * HOUR };
      },
      ...store,
    },
  });
  const startedAt = node.clock.monotonic();
  const { board, clock } = node;
  const lease: Lease = ownLease({ expiresAt: clock.now() + leftMs });
  board.own = heldLease(board, lease, board.wanted);
  return { ...node, lease, renewals, ended: keepLease(board, stop.signal) };
}

describe('the lease of a node that runs', () => {
  it('is renewed an hour before each of its ends', async () => {
    const { clock, renewals } = keeping();
    await clock.advance(50 * HOUR);
    expect(renewals).toEqual([23 * HOUR, 46 * HOUR]);
  });

  it('is renewed in time although the clock of the day was set back by a day', async () => {
    const { clock, renewals } = keeping();
    clock.setBack(24 * HOUR);
    await clock.advance(23 * HOUR);
    expect(renewals).toEqual([23 * HOUR]);
  });

  it('is renewed although the leases can never be followed', async () => {
    const nothing: readonly StoreEvent[] = [];
    const watch: SubnetStore['watch'] = async function* () {
      yield* nothing;
      throw unreachable();
    };
    const { board, clock, renewals } = keeping({ leftMs: HOUR + 3 * MINUTE, store: { watch } });
    void followStore(board, stop.signal);
    await clock.advance(4 * MINUTE);
    expect(renewals).toEqual([3 * MINUTE]);
  });

  it('is tried again about every minute while the datastore is silent, and told when it is over', async () => {
    const tries: number[] = [];
    const { board, clock, datastoreErrors } = keeping({
      leftMs: HOUR + MINUTE,
      store: {
        renew: async () => {
          tries.push(clock.monotonic());
          throw unreachable();
        },
      },
    });
    await clock.advance(HOUR);
    const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0.9 * MINUTE);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.1 * MINUTE);
    expect(board.problems.get('lease')).toBeUndefined();
    await clock.advance(3 * MINUTE);
    expect(board.problems.get('lease')).toContain('not renewed in time: etcd refused the connection');
    expect(new Set(datastoreErrors)).toEqual(new Set(['renew']));
  });

  it('is renewed at once when the datastore answers again', async () => {
    let isSilent = true;
    const { board, clock, renewals } = keeping({
      leftMs: HOUR + MINUTE,
      store: {
        renew: async (lease) => {
          if (isSilent) throw unreachable();
          renewals.push(clock.monotonic());
          return { ...lease, expiresAt: clock.now() + 24 * HOUR };
        },
      },
    });
    await clock.advance(MINUTE + 100);
    isSilent = false;
    board.care.ring('the datastore answers');
    await clock.advance(300);
    expect(renewals).toHaveLength(1);
  });

  it('is read, not written, when time jumped', async () => {
    let reads = 0;
    const { board, clock, lease, renewals } = keeping({
      store: {
        listLeases: async () => {
          reads += 1;
          return listing([lease]);
        },
      },
    });
    await clock.advance(HOUR);
    board.inDoubt = true;
    board.care.ring('time jumped');
    await clock.advance(1000);
    expect([reads, renewals, board.inDoubt]).toEqual([1, [], false]);
  });

  it('is not written while another host holds it, and looked at every minute', async () => {
    const reads: number[] = [];
    const theirs = ownLease({ modRevision: '99' }, { publicIp: '192.168.9.99' });
    const { board, clock, renewals } = keeping({
      leftMs: HOUR,
      store: {
        renew: async () => {
          throw new ConflictError('the record is no longer at that revision');
        },
        listLeases: async () => {
          reads.push(clock.monotonic());
          return listing([theirs]);
        },
      },
    });
    await clock.advance(5 * MINUTE + 1000);
    expect(board.own.status).toBe('conflict');
    expect(board.problems.get('lease')).toMatch(/192\.168\.9\.1\).*192\.168\.9\.99/);
    expect(reads.slice(1).map((at, index) => at - (reads[index] ?? 0))).toEqual([
      MINUTE,
      MINUTE,
      MINUTE,
      MINUTE,
      MINUTE,
    ]);
    expect(renewals).toEqual([]);
  });

  it('is written again when what should be published changed while it was acquired', async () => {
    const moved = { ...ownLease().attributes, publicIp: '192.168.9.41' };
    const { board, clock, lease, renewals } = keeping({
      store: {
        listLeases: async () => listing([]),
        acquire: async ({ attributes }) => {
          await clock.sleep(1000);
          return { ...lease, attributes };
        },
      },
    });
    board.own = { status: 'lost', lease };
    board.care.ring('leases changed');
    await clock.advance(500);
    board.wanted = moved;
    await clock.advance(2000);
    expect([renewals.length, board.own]).toEqual([
      1,
      expect.objectContaining({ asked: moved, lease: expect.objectContaining({ attributes: moved }) }),
    ]);
  });

  it('is not touched after the end was told', async () => {
    const { clock, ended, renewals } = keeping();
    await clock.advance(HOUR);
    stop.abort();
    await ended;
    await clock.advance(48 * HOUR);
    expect(renewals).toEqual([]);
  });
});
