import { describe, expect, it } from 'vitest';
import { startBoard } from '../../src/agent/start.ts';
import { UnavailableError } from '../../src/errors.ts';
import type { Host } from '../../src/host/host.ts';
import { fakeNode, unreachable } from './fake-node.ts';

const CONFIG = '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}';

function starting(host: Partial<Host>, config: string | undefined = CONFIG) {
  const { board, log } = fakeNode({
    host,
    store: {
      readNetworkConfig: async () => {
        if (config === 'silent') throw unreachable();
        return { text: config ?? '', modRevision: '1', source: 'etcd' };
      },
    },
  });
  return { log, started: startBoard(board.parts, board.settings) };
}

const hanging: Partial<Host> = {
  exec: async ([program]) => {
    throw new UnavailableError('timeout', `${program} did not end within 5000 ms and was killed`);
  },
};

describe('the start of the agent', () => {
  it('reads configuration and interface', async () => {
    const { config, underlay } = await starting({}).started;
    expect([config.network, underlay.publicIp]).toEqual(['10.244.0.0/16', '192.168.9.1']);
  });

  it('does not blame the datastore for a tool of this host that hangs', async () => {
    const { log, started } = starting(hanging);
    await expect(started).rejects.toMatchObject({
      message: 'ip did not end within 5000 ms and was killed',
      hint: undefined,
    });
    expect(log).toEqual([]);
  });

  it('says what it could have started from when the datastore is silent', async () => {
    await expect(starting({}, 'silent').started).rejects.toMatchObject({
      exitCode: 69,
      message: expect.stringMatching(/^etcd refused the connection.*there is no \/nowhere\/state\.json to start from$/),
    });
  });
});
