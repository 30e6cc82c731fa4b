import { afterEach, describe, expect, it } from 'vitest';
import { anticipateForEver } from '../../src/agent/anticipate.ts';
import { desiredOverlay } from '../../src/dataplane/desired.ts';
import type { LeaseRecord } from '../../src/store/store.ts';
import { aLease } from '../dataplane/builders.ts';
import { done, fakeNode, goodRound, hostRunning, listing, ownLease } from './fake-node.ts';

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

/** A node whose last round left everything in order for itself and lease 2. */
function settled(ports: Parameters<typeof fakeNode>[0] = {}) {
  const written: string[] = [];
  const run = async (argv: readonly string[], options?: { readonly input?: string }) => {
    written.push(...(options?.input ?? '').split('\n').flatMap((line) => (line === '' ? [] : `${argv[0]} ${line}`)));
    return done();
  };
  const node = fakeNode({ writer: { run }, ...ports });
  const { board, clock } = node;
  const own = ownLease();
  const leases = [own, aLease(2)];
  board.own = { status: 'held', lease: own, asked: own.attributes, endsAt: null };
  board.book.replace(listing(leases));
  const { config, underlay } = board;
  const desired = desiredOverlay({ config, underlay, leases, own, isDirect: () => false });
  board.lastRound = { ...goodRound(clock.monotonic()), desired };
  const ended = anticipateForEver(board, stop.signal);
  const learn = async (record: LeaseRecord) => {
    board.book.learn({ type: 'put', record, revision: '9' });
    board.fresh.ring('lease');
    await clock.advance(100);
  };
  return { ...node, written, learn, ended };
}

describe('a lease that is new', () => {
  it('is programmed without a look at the kernel: its entries, in their order, and no others', async () => {
    const { learn, written } = settled();
    await learn(aLease(3));
    expect(written).toEqual([
      'bridge fdb replace 02:00:00:00:00:03 dev flannel.1 dst 192.168.9.3 self permanent',
      'ip neigh replace 10.244.3.0 lladdr 02:00:00:00:00:03 nud permanent dev flannel.1',
      'ip route add 10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink',
    ]);
  });

  it('is programmed anew where what it publishes changed', async () => {
    const { learn, written } = settled();
    await learn(aLease(2, { modRevision: '2' }, { publicIp: '192.168.9.77' }));
    expect(written).toEqual(['bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 192.168.9.77 self permanent']);
  });

  it('takes nothing away from a peer that has what it wants', async () => {
    const { learn, written } = settled();
    await learn(aLease(3, {}, { vtep: { vni: 1, mac: '02:00:00:00:00:02' } }));
    expect(written.filter((line) => line.startsWith('bridge'))).toEqual([]);
    expect(written).toHaveLength(2);
  });

  it.each([
    [
      'a lease that is gone',
      (board: Settled) => board.book.learn({ type: 'delete', key: '10.244.2.0-24', revision: '9' }),
    ],
    ['leases that are remembered alone', (board: Settled) => board.book.remember([aLease(3)], null)],
    ['a datastore that cannot be followed', (board: Settled) => board.book.interrupt()],
  ])('is waited for by a round with %s', async (_what, change) => {
    const { board, learn, written } = settled();
    change(board);
    if (board.book.source === 'datastore') board.fresh.ring('lease');
    else await learn(aLease(4));
    await Promise.resolve();
    expect(written).toEqual([]);
  });

  it('is left to the round while drift is open, and with direct routing', async () => {
    const drifting = settled();
    if (drifting.board.lastRound !== undefined)
      drifting.board.lastRound = { ...drifting.board.lastRound, drift: ['x'] };
    await drifting.learn(aLease(3));
    const direct = settled();
    const { backend } = direct.board.config;
    if (backend.type === 'vxlan')
      direct.board.config = { ...direct.board.config, backend: { ...backend, directRouting: true } };
    await direct.learn(aLease(3));
    expect([...drifting.written, ...direct.written]).toEqual([]);
  });

  it('is not programmed beside a flanneld, which the round tells of', async () => {
    const { learn, written, board } = settled({ host: hostRunning('/opt/bin/flanneld --ip-masq') });
    await learn(aLease(3));
    expect([written, board.problems.has('kernel')]).toEqual([[], false]);
  });
});

type Settled = ReturnType<typeof settled>['board'];
