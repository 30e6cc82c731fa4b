import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { relayTcp } from '../../src/host/live-relay.ts';
import { freePort } from '../support/free-port.ts';

const ending = new AbortController();
const closing: (() => void)[] = [];
afterEach(() => {
  ending.abort();
  for (const close of closing.splice(0)) close();
});

test('passes everything on in both directions, late', async () => {
  const [from, to] = [await freePort(), await freePort()];
  const server = createServer((request, response) => request.pipe(response.setHeader('connection', 'close')));
  await new Promise<void>((resolve) => server.listen(to, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const at = (port: number) => ({ host: '127.0.0.1', port });
  await relayTcp({ from: at(from), to: at(to), delayMs: 60 }, ending.signal);
  const sent = 'x'.repeat(300_000);
  const started = performance.now();
  const answer = await fetch(`http://127.0.0.1:${from}/`, { method: 'POST', body: sent });
  expect((await answer.text()).length).toBe(sent.length);
  expect(performance.now() - started).toBeGreaterThanOrEqual(110);
});
