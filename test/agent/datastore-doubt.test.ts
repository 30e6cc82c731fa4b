import { describe, expect, it } from 'vitest';
import type { Board } from '../../src/agent/board.ts';
import { refuseForeignCluster } from '../../src/agent/cluster.ts';
import { keepConfig } from '../../src/agent/keep-config.ts';
import { tellIgnored } from '../../src/agent/tell-ignored.ts';
import { AbsentError } from '../../src/errors.ts';
import { aLease } from '../dataplane/builders.ts';
import { aBoard, aListing } from './board.ts';

function hold(board: Board) {
  board.own = { status: 'held', lease: aLease(1), asked: aLease(1).attributes, endsAt: null };
}

describe('an answer of another cluster', () => {
  it('is refused, and /readyz names both until the old one answers', () => {
    const { board } = aBoard();
    hold(board);
    board.book.replace(aListing('a1', [aLease(1), aLease(2)]));
    expect(() => refuseForeignCluster(board, aListing('b2', [aLease(3)]))).toThrow(/cluster b2.*cluster a1/);
    expect(board.problems.get('datastore')).toMatch(/cluster b2.*cluster a1.*restart/);
    refuseForeignCluster(board, aListing('a1', [aLease(2)]));
    expect(board.problems.has('datastore')).toBe(false);
  });

  it('is refused also when another host has our subnet there', () => {
    const { board } = aBoard();
    hold(board);
    board.book.remember([aLease(1)], 'a1');
    const theirs = aLease(1, {}, { publicIp: '192.168.9.77' });
    expect(() => refuseForeignCluster(board, aListing('b2', [theirs]))).toThrow(/its lease is not there/);
  });

  it('is believed when it has our lease, but nobody is let go at its word', () => {
    const { board, said } = aBoard();
    hold(board);
    board.book.replace(aListing('a1', [aLease(1), aLease(2)]));
    refuseForeignCluster(board, aListing('b2', [aLease(1)]));
    expect([board.book.clusterId, board.book.takeRewound(), board.book.takeRewound()]).toEqual(['b2', true, false]);
    expect(said.join()).toContain('restored');
  });

  it('is what it is at the first start, and in a store without clusters', () => {
    const { board } = aBoard();
    refuseForeignCluster(board, aListing('b2', []));
    board.book.replace(aListing('a1', []));
    refuseForeignCluster(board, { ...aListing('', []), clusterId: null });
    expect(board.problems.has('datastore')).toBe(false);
  });
});

describe('who had a subnet last', () => {
  it('is remembered when the list lacks it, and forgotten when another host has it', () => {
    const { board } = aBoard();
    board.book.replace(aListing('a1', [aLease(2), aLease(3)]));
    board.book.replace(aListing('a1', [aLease(3, {}, { publicIp: '192.168.9.77' })]));
    const holders = board.book.lastHolders(['10.244.2.0/24', '10.244.3.0/24', '10.244.4.0/24']);
    const addresses = holders.map((record) => record.kind === 'lease' && record.attributes.publicIp);
    expect(addresses).toEqual([aLease(2).attributes.publicIp, '192.168.9.77']);
  });
});

describe('a record that is not programmed', () => {
  const bad = { key: '10.244.9.0-24', reason: 'publishes no VTEP MAC that parses' };

  it('is told once, and again when it comes back', () => {
    const { board, said } = aBoard();
    for (const ignored of [[bad], [bad], [], [bad]]) tellIgnored(board, { ignored });
    expect(said).toHaveLength(2);
  });

  it('is one of at most fifty lines', () => {
    const { board, said } = aBoard();
    const ignored = Array.from({ length: 5000 }, (_, index) => ({ key: `junk-${index}`, reason: 'is no subnet' }));
    tellIgnored(board, { ignored });
    tellIgnored(board, { ignored });
    expect([said.length, said.at(-1)]).toEqual([51, expect.stringContaining('4950')]);
  });
});

describe('a configuration that changes', () => {
  const text = (backend: object, more: object = {}) =>
    JSON.stringify({ Network: '10.244.0.0/16', ...more, Backend: { Type: 'vxlan', ...backend } });

  /** What the agent says and believes after it has read each of these, twice. */
  async function afterReading(...texts: readonly (string | Error)[]) {
    const stop = new AbortController();
    const left = texts.flatMap((one) => [one, one]);
    const { board, said } = aBoard({
      readNetworkConfig: async () => {
        const next = left.shift();
        if (left.length === 0) stop.abort();
        if (next instanceof Error || next === undefined) throw next;
        return { text: next, modRevision: '1', source: 'a test' };
      },
    });
    await keepConfig(board, stop.signal);
    return { said, backend: board.config.backend, network: board.config.network };
  }

  it('is taken when a node may have it alone', async () => {
    const { backend, said } = await afterReading(text({ DirectRouting: true }));
    expect([backend, said]).toEqual([expect.objectContaining({ directRouting: true }), [expect.any(String)]]);
  });

  it.each([
    ['another network', text({}, { Network: '10.99.0.0/16' })],
    ['another VNI', text({ VNI: 7 })],
    ['another port', text({ Port: 4789 })],
    ['another backend', JSON.stringify({ Network: '10.244.0.0/16', Backend: { Type: 'host-gw' } })],
    ['no JSON', '\u0000\u0001{{{'],
    ['nothing at all', new AbsentError('there is none')],
  ])('is told once and not taken when it is %s', async (_what, stored) => {
    const { backend, network, said } = await afterReading(stored);
    expect([backend, network]).toEqual([expect.objectContaining({ vni: 1, port: null }), '10.244.0.0/16']);
    expect(said).toHaveLength(1);
  });
});
