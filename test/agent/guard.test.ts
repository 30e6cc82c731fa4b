import { describe, expect, it } from 'vitest';
import { guardRemovals } from '../../src/agent/guard.ts';
import type { Entry, OverlayPlan } from '../../src/dataplane/entry.ts';
import type { LeaseRecord } from '../../src/store/store.ts';
import { aLease } from '../dataplane/builders.ts';
import { done, fakeNode, listing, unreachable } from './fake-node.ts';

const SUBNETS = ['10.244.2.0/24', '10.244.3.0/24', '10.244.4.0/24'];
const DAY = 86_400_000;
const ANSWERED =
  '3 packets transmitted, 3 received, 0% packet loss, time 400ms\nrtt min/avg/max/mdev = 0.1/0.1/0.1/0.0 ms\n';
const SILENT = '3 packets transmitted, 0 received, 100% packet loss, time 400ms\n';

/** Lets go of every peer whose subnet no record names. */
function planFor(records: readonly LeaseRecord[]): OverlayPlan {
  const named = records.flatMap((record) => (record.kind === 'lease' ? (record.subnet ?? []) : []));
  const operations = SUBNETS.map((dst) => {
    const via = dst.replace('/24', '');
    const entry: Entry = { kind: 'route', dst, via, device: 'flannel.1', isOnlink: true, metric: 0 };
    return { verb: named.includes(dst) ? 'keep' : 'delete', entry, subject: 'node' } as const;
  });
  return { operations };
}

interface Scene {
  readonly answering?: readonly string[];
  /** What the store answers, one reading after the other; `undefined`: nothing. */
  readonly readings?: readonly (readonly LeaseRecord[] | undefined)[];
}

/** A node that served three peers, whose list of leases is suddenly empty. */
function scene({ answering = [], readings = [[]] }: Scene) {
  const left = [...readings];
  const node = fakeNode({
    host: {
      exec: async (argv) => (answering.some((ip) => argv.includes(ip)) ? done(ANSWERED) : done(SILENT, 1)),
    },
    store: {
      listLeases: async () => {
        const records = left.shift();
        if (records === undefined) throw unreachable();
        return listing(records);
      },
    },
  });
  const { board } = node;
  board.book.replace(listing([2, 3, 4].map((index) => aLease(index, { expiresAt: node.clock.now() + DAY / 2 }))));
  board.book.replace(listing([]));
  const look = async () => {
    const { plan } = await guardRemovals(board, planFor(board.book.records), () => planFor(board.book.records));
    return plan.operations.filter(({ verb }) => verb === 'delete').length;
  };
  return { ...node, look, left };
}

describe('a list of leases that is suddenly empty', () => {
  it('is not read again before thirty seconds, however often there is a look', async () => {
    const { clock, look, left } = scene({ readings: [[]] });
    expect(await look()).toBe(0);
    await clock.advance(29_999);
    expect([await look(), left.length]).toEqual([0, 1]);
    await clock.advance(1);
    expect([await look(), left.length]).toEqual([3, 0]);
  });

  it('keeps who answers until the end that its lease had, not a moment longer', async () => {
    const { clock, look } = scene({ answering: ['10.244.3.0'] });
    await look();
    await clock.advance(30_000);
    expect(await look()).toBe(2);
    await clock.advance(DAY / 2 - 30_001);
    expect(await look()).toBe(2);
    await clock.advance(1);
    expect(await look()).toBe(3);
  });

  it('lets nobody go while it cannot be read again, and tries it every thirty seconds', async () => {
    const { clock, datastoreErrors, look } = scene({ readings: [undefined, undefined, []] });
    await look();
    const removed: number[] = [];
    for (let turn = 0; turn < 9; turn += 1) {
      await clock.advance(10_000);
      removed.push(await look());
    }
    expect([removed, datastoreErrors]).toEqual([
      [0, 0, 0, 0, 0, 0, 0, 0, 3],
      ['list', 'list'],
    ]);
  });

  it('is believed again when the second reading has the peers', async () => {
    const { board, clock, look, log } = scene({ readings: [[aLease(2), aLease(3), aLease(4)]] });
    await look();
    await clock.advance(30_000);
    expect([await look(), board.suspicion.kind]).toEqual([0, 'none']);
    expect(log.at(-1)).toContain('believed again');
  });
});
