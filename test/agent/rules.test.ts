import { afterEach, describe, expect, it } from 'vitest';
import { keepRules } from '../../src/agent/rules.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import { fakeNode, ownLease } from './fake-node.ts';

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

/** A node in nftables mode whose nft says what it is told to; `looks` are seconds since the start. */
function keeping(iptablesResyncSeconds = 5) {
  const looks: number[] = [];
  let error = 'Operation not permitted';
  const node = fakeNode({
    settings: { options: { ...FLANNEL_DEFAULTS, iptablesResyncSeconds } },
    host: {
      exec: async (argv) => {
        if (argv.join(' ') === 'nft -j list table ip flannel-ipv4')
          looks.push((node.clock.monotonic() - startedAt) / 1000);
        return argv[0] === 'nft'
          ? { exitCode: 1, stdout: '', stderr: error }
          : { exitCode: 127, stdout: '', stderr: '' };
      },
    },
  });
  const startedAt = node.clock.monotonic();
  const { board } = node;
  board.config = { ...board.config, enableNFTables: true };
  board.own = { status: 'remembered', lease: ownLease() };
  const say = (text: string) => {
    error = text;
  };
  return { ...node, looks, say, ended: keepRules(board, stop.signal) };
}

describe('the packet filter rules of a node that runs', () => {
  it('are looked at in every --iptables-resync, in nftables mode, too', async () => {
    const { clock, looks } = keeping();
    await clock.advance(20_000);
    expect(looks).toEqual([0, 5, 10, 15, 20]);
  });

  it('are looked at once a second at most', async () => {
    const { clock, looks } = keeping(0);
    await clock.advance(2_000);
    expect(looks).toEqual([0, 1, 2]);
  });

  it('are a problem while they cannot be read, told once', async () => {
    const { board, clock, log } = keeping();
    await clock.advance(10_000);
    expect(board.problems.get('rules')).toContain('Operation not permitted');
    expect(log.filter((line) => line.startsWith('error'))).toHaveLength(1);
  });

  it('are not written without a lease, which they name', async () => {
    const { board, clock, looks } = keeping();
    board.own = { status: 'none' };
    await clock.advance(20_000);
    expect(looks).toEqual([0]);
  });
});
