import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveHealth } from '../../src/agent/health.ts';
import { liveResident } from '../../src/host/live-resident.ts';
import { fakeNode, goodRound } from './fake-node.ts';

const ADDRESS = '127.0.0.1';

let stop = new AbortController();
let other: Server;
let port: number;

/** Somebody listens where health should be served. */
beforeEach(async () => {
  stop = new AbortController();
  other = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => other.listen(0, ADDRESS, resolve));
  const place = other.address();
  port = typeof place === 'object' && place !== null ? place.port : 0;
});
afterEach(() => {
  stop.abort();
  other.close();
});

const leavePort = () => new Promise((resolve) => other.close(resolve));
const ask = async (path: string) => {
  const response = await fetch(`http://${ADDRESS}:${port}${path}`);
  return [response.status, (await response.text()).trim()];
};

function serving() {
  const node = fakeNode();
  const place = { ...node.board.parts, resident: liveResident(), address: ADDRESS, port };
  const ended = serveHealth(() => node.board, place, stop.signal);
  const until = async (text: string) => {
    await expect.poll(() => node.log.join('\n'), { timeout: 5000 }).toContain(text);
  };
  return { ...node, ended, until };
}

describe('a health port that is taken', () => {
  it('is said, and tried again after ten seconds', async () => {
    const { board, clock, log, until } = serving();
    await until('health is not served; trying again');
    expect(log[0]).toContain(`${ADDRESS}:${port} cannot be listened on (EADDRINUSE)`);
    await leavePort();
    await clock.advance(9_999);
    await expect(ask('/healthz')).rejects.toThrow();
    await clock.advance(1);
    await until('serving health');
    expect([await ask('/healthz'), await ask('/readyz')]).toEqual([
      [200, 'ok'],
      [503, board.problems.get('start')],
    ]);
  });

  it('is tried as long as it takes', async () => {
    const { clock, log, until } = serving();
    for (let tries = 1; tries <= 4; tries += 1) {
      await expect.poll(() => log.length, { timeout: 5000 }).toBe(tries);
      await clock.advance(10_000);
    }
    await leavePort();
    await clock.advance(10_000);
    await until('serving health');
  });

  it('does not keep the agent from its end', async () => {
    const { ended, until } = serving();
    await until('trying again');
    stop.abort();
    await ended;
  });
});

describe('what /readyz says', () => {
  it('changes with what is wrong at the moment', async () => {
    await leavePort();
    const { board, clock, until } = serving();
    await until('serving health');
    board.problems.clear();
    board.lastRound = goodRound(clock.monotonic());
    const answers = [await ask('/readyz')];
    board.problems.set('kernel', 'flannel.1 is gone');
    answers.push(await ask('/readyz'));
    board.problems.clear();
    answers.push(await ask('/readyz'));
    await clock.advance(60_001);
    answers.push(await ask('/readyz'));
    expect(answers).toEqual([
      [200, 'ready'],
      [503, 'flannel.1 is gone'],
      [200, 'ready'],
      [503, 'the last look at the kernel was 60 s ago'],
    ]);
  });
});
