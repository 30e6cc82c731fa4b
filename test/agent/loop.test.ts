import { afterEach, describe, expect, it } from 'vitest';
import { reconcileForEver } from '../../src/agent/loop.ts';
import { confirmSuspicion } from '../../src/agent/removals.ts';
import type { Host } from '../../src/host/host.ts';
import { done, fakeNode, hostRunning, KERNEL, listing } from './fake-node.ts';

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

/** The loop of a node, started. */
function looping(ports: Parameters<typeof fakeNode>[0] = {}) {
  const node = fakeNode(ports);
  const ended = reconcileForEver(node.board, stop.signal, () => undefined);
  return { ...node, ended };
}

/** What the kernel of the quiet host shows, once `fails` says no. */
function kernelWhile(fails: () => boolean): Partial<Host> {
  return {
    exec: async (argv) =>
      fails()
        ? { exitCode: 2, stdout: '', stderr: 'Cannot open netlink socket' }
        : done(KERNEL[argv.join(' ')] ?? '[]'),
  };
}

/** Peers that the kernel serves and that no lease names. */
function kernelServing(subnets: readonly string[]): Partial<Host> {
  const routes = subnets.map((dst) => ({ dst, gateway: dst.replace('/24', ''), dev: 'flannel.1', flags: ['onlink'] }));
  return {
    exec: async (argv) => {
      const line = argv.join(' ');
      if (argv[0] === 'ping') return done('3 packets transmitted, 0 received, 100% packet loss, time 400ms\n', 1);
      if (!line.endsWith('-d route show table main')) return done(KERNEL[line] ?? '[]');
      return done(JSON.stringify([...JSON.parse(KERNEL[line] ?? '[]'), ...routes]));
    },
  };
}

describe('the reconcile loop', () => {
  it('looks every thirty seconds when nothing calls for it', async () => {
    const { clock, rounds } = looping();
    await clock.advance(29_999);
    expect(rounds()).toBe(1);
    await clock.advance(1);
    expect(rounds()).toBe(2);
  });

  it('looks when it is rung, and counts the thirty seconds from there', async () => {
    const { board, clock, rounds } = looping();
    await clock.advance(4_000);
    board.look.ring('kernel');
    await clock.advance(100);
    expect(rounds()).toBe(2);
    await clock.advance(29_800);
    expect(rounds()).toBe(2);
    await clock.advance(200);
    expect(rounds()).toBe(3);
  });

  it('tries a round that failed again after a second, and says so until one is good', async () => {
    let isBroken = true;
    const { board, clock, rounds } = looping({ host: kernelWhile(() => isBroken) });
    await clock.advance(2_500);
    expect(clock.naps).toEqual([1000, 1000, 1000]);
    expect(board.problems.get('kernel')).toContain('Cannot open netlink socket');
    isBroken = false;
    await clock.advance(500);
    expect([rounds(), board.problems.get('kernel')]).toEqual([1, undefined]);
    expect(clock.naps.at(-1)).toBe(10_000);
  });

  it('ends when the timer finds a flanneld beside it', async () => {
    let isThere = false;
    const other = hostRunning('/opt/bin/flanneld --ip-masq');
    const { clock, ended } = looping({
      host: {
        readDir: async (path) => (isThere ? (other.readDir?.(path) ?? []) : path === '/proc' ? ['1'] : []),
        ...(other.readFile && { readFile: other.readFile }),
      },
    });
    const outcome = ended.catch((error: Error) => error.message);
    await clock.advance(1);
    isThere = true;
    await clock.advance(10_000);
    expect(await outcome).toBe('flanneld (pid 77) runs here and owns the overlay');
  });

  it('reads a list that let everybody go again after thirty seconds, not at its next look', async () => {
    const reads: number[] = [];
    const node = looping({
      host: kernelServing(['10.244.2.0/24', '10.244.3.0/24']),
      writer: { run: async () => done() },
      store: {
        listLeases: async () => {
          reads.push(node.clock.monotonic());
          return listing([]);
        },
      },
    });
    node.board.book.replace(listing([]));
    const from = node.clock.monotonic();
    await node.clock.advance(4_000);
    node.board.look.ring('kernel');
    // this kernel lets go of nothing: half a minute later the list would be doubted anew
    await node.clock.advance(40_000);
    expect(reads).toEqual([from + 30_000]);
  });

  it('asks those that are kept without a lease once a minute whether they still answer', async () => {
    const node = looping({ host: kernelServing(['10.244.2.0/24']), writer: { run: async () => done() } });
    const { board, clock } = node;
    board.book.replace(listing([]));
    board.suspicion = confirmSuspicion(['10.244.2.0/24'], ['10.244.2.0/24'], () => Number.POSITIVE_INFINITY);
    await clock.advance(59_000);
    expect(board.lastRound?.heldBack).toEqual(['10.244.2.0/24']);
    await clock.advance(2_000);
    expect(board.suspicion).not.toMatchObject({ kept: new Map([['10.244.2.0/24', Number.POSITIVE_INFINITY]]) });
  });
});

describe('a jump of time', () => {
  it.each([
    ['the clock is set forward', -31_000],
    ['the clock is set back', 31_000],
  ])('is noticed when %s: the lease is read before anything is written', async (_what, ms) => {
    const { board, clock, log } = looping();
    await clock.advance(5_000);
    clock.setBack(ms);
    await clock.advance(5_000);
    expect(board.inDoubt).toBe(true);
    expect(log).toContain('warn time jumped; the lease is read again 31000 10000');
    const reasons = board.care.next(0, stop.signal);
    await clock.advance(40);
    expect((await reasons).has('time jumped')).toBe(true);
  });

  it('is noticed when the process was stopped, whichever clock went on', async () => {
    const { board, clock } = looping();
    await clock.stall(40_001);
    expect(board.inDoubt).toBe(true);
  });

  it('is not seen in a clock that is adjusted, nor in a busy host', async () => {
    const { board, clock } = looping();
    clock.setBack(29_000);
    await clock.advance(10_000);
    clock.setBack(-29_000);
    await clock.stall(39_000);
    expect(board.inDoubt).toBe(false);
  });
});
