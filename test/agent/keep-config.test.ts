import { afterEach, describe, expect, it } from 'vitest';
import { keepConfig } from '../../src/agent/keep-config.ts';
import { fakeNode, unreachable } from './fake-node.ts';

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

const text = (backend: object = {}, more: object = {}) =>
  JSON.stringify({ Network: '10.244.0.0/16', Backend: { Type: 'vxlan', ...backend }, ...more });

/** A node that runs with the plain configuration; `set` is what the datastore says from then on. */
function keeping() {
  let stored: string | undefined = text();
  let reads = 0;
  const node = fakeNode({
    store: {
      readNetworkConfig: async () => {
        reads += 1;
        if (stored === undefined) throw unreachable();
        return { text: stored, modRevision: '1', source: 'etcd' };
      },
    },
  });
  const { board } = node;
  board.config = { ...board.config, ipv6Network: null };
  board.configText = text();
  void keepConfig(board, stop.signal);
  const set = (next: string | undefined) => {
    stored = next;
  };
  const told = () => node.log.filter((line) => line.startsWith('error') || line.startsWith('warn'));
  return { ...node, set, told, reads: () => reads };
}

describe('the network configuration of a node that runs', () => {
  it('is read every minute, and said nothing about while it stays', async () => {
    const { clock, log, reads } = keeping();
    await clock.advance(59_999);
    expect(reads()).toBe(0);
    await clock.advance(120_001);
    expect([reads(), log]).toEqual([3, []]);
  });

  it('is taken when it changed, and looked at what it changes', async () => {
    const { board, clock, set } = keeping();
    const looking = board.look.next(70_000, stop.signal);
    set(text({ DirectRouting: true, MTU: 1400 }));
    await clock.advance(60_100);
    expect(board.config.backend).toMatchObject({ directRouting: true, outerMtuBytes: 1400 });
    expect((await looking).has('configuration')).toBe(true);
  });

  it.each([
    ['another network', text({}, { Network: '10.245.0.0/16' })],
    ['another backend', text({ Type: 'host-gw' })],
    ['another VNI', text({ VNI: 2 })],
    ['another port', text({ Port: 4789 })],
    ['group policy', text({ GBP: true })],
    ['another family', text({}, { EnableIPv6: true, IPv6Network: 'fd00:10::/56' })],
  ])('is not taken when it needs every node restarted: %s', async (_what, changed) => {
    const { board, clock, set, told } = keeping();
    const before = board.config;
    set(changed);
    await clock.advance(180_000);
    expect(board.config).toBe(before);
    expect(told()).toHaveLength(1);
    expect(told()[0]).toContain('changed in what all nodes must agree on; this node goes on with the old one');
  });

  it('is not taken when flannel would refuse it, and told once', async () => {
    const { board, clock, set, told } = keeping();
    const before = board.config;
    set('{"Network":');
    await clock.advance(180_000);
    expect([board.config === before, told().length]).toEqual([true, 1]);
    expect(told()[0]).toContain('does not parse');
  });

  it('is taken once it is mended, and told again when it breaks again', async () => {
    const { board, clock, set, told } = keeping();
    set(text({ VNI: 2 }));
    await clock.advance(60_000);
    set(text());
    await clock.advance(60_000);
    set(text({ VNI: 2 }));
    await clock.advance(60_000);
    expect([told().length, board.configText]).toEqual([2, text()]);
  });

  it('stays while the datastore is silent, and is asked for again after a minute', async () => {
    const { board, clock, set, told, datastoreErrors } = keeping();
    set(undefined);
    await clock.advance(60_000);
    expect([told().length, datastoreErrors]).toEqual([1, ['config']]);
    set(text({ MTU: 1400 }));
    await clock.advance(60_000);
    expect(board.config.backend).toMatchObject({ outerMtuBytes: 1400 });
  });
});
