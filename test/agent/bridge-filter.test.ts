import { describe, expect, it } from 'vitest';
import { tellBridgeFilter } from '../../src/agent/bridge-filter.ts';
import { AbsentError, UnavailableError } from '../../src/errors.ts';
import { fakeNode } from './fake-node.ts';

const IPTABLES = '/proc/sys/net/bridge/bridge-nf-call-iptables';
const IP6TABLES = '/proc/sys/net/bridge/bridge-nf-call-ip6tables';

async function told(settings: Readonly<Record<string, string>>, more: { readonly enableIPv6?: boolean } = {}) {
  const { board, log } = fakeNode({
    host: {
      readFile: async (path) => {
        const value = settings[path];
        if (value === undefined) throw new AbsentError(`${path} is not there`);
        return value;
      },
    },
  });
  await tellBridgeFilter({ parts: board.parts, config: { ...board.config, ...more } });
  return log;
}

describe('bridged packets and iptables', () => {
  it('are nothing to speak of where they pass it', async () => {
    expect(await told({ [IPTABLES]: '1\n' })).toEqual([]);
  });

  it('are told where the module is there and switched off', async () => {
    expect(await told({ [IPTABLES]: '0\n' })).toEqual([
      'warn bridged pods bypass iptables net.bridge.bridge-nf-call-iptables is 0, not 1',
    ]);
  });

  it('are told where the module is not there', async () => {
    expect(await told({})).toEqual(['warn bridged pods bypass iptables br_netfilter is not loaded']);
  });

  it('are told of each family that the overlay has', async () => {
    expect(await told({ [IPTABLES]: '1\n', [IP6TABLES]: '0\n' }, { enableIPv6: true })).toEqual([
      'warn bridged pods bypass ip6tables net.bridge.bridge-nf-call-ip6tables is 0, not 1',
    ]);
  });

  it('are not said to bypass it where that cannot be read', async () => {
    const { board, log } = fakeNode({
      host: {
        readFile: async () => {
          throw new UnavailableError('permission', 'permission denied');
        },
      },
    });
    await tellBridgeFilter(board);
    expect(log).toEqual(['debug permission denied']);
  });
});
