import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { liveResident } from '../../src/host/live-resident.ts';
import { freePort } from '../support/free-port.ts';

const resident = liveResident();
const name = () => `fctl-test-${randomBytes(4).toString('hex')}`;

describe('a held name', () => {
  it('is held once, and answers who asks', async () => {
    const own = name();
    const lock = await resident.hold(own, () => 'here');
    await expect(resident.hold(own, () => '')).rejects.toMatchObject({ exitCode: 75 });
    expect(await resident.ask(own)).toBe('here');
    await lock.close();
  });

  it('is free again when it was let go', async () => {
    const own = name();
    await (await resident.hold(own, () => '')).close();
    expect(await resident.ask(own)).toBeUndefined();
  });
});

describe('a program that is followed', () => {
  it('tells its lines and ends with the signal', async () => {
    const stop = new AbortController();
    const lines: string[] = [];
    const onLine = (line: string) => {
      lines.push(line);
      if (lines.length === 2) stop.abort();
    };
    await resident.follow(['sh', '-c', 'echo one; echo two; exec sleep 60'], onLine, stop.signal);
    expect(lines).toEqual(['one', 'two']);
  });

  it('ends with us, however we end', async () => {
    const source = fileURLToPath(new URL('../../src/host/live-monitor.ts', import.meta.url));
    const script = `import { followProgram } from ${JSON.stringify(source)};
      await followProgram(['sh', '-c', 'echo $$; exec sleep 60'], console.log, new AbortController().signal);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    const pid = Number(line);
    expect(runs(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => runs(pid)).toBe(false);
  });

  it('that is not installed is told as such', async () => {
    const following = resident.follow(['no-such-program'], () => undefined, new AbortController().signal);
    await expect(following).rejects.toMatchObject({ reason: 'missing-tool' });
  });
});

/** In a container nobody may collect what has ended. */
function runs(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
}

describe('the health server', () => {
  it('answers GET with what it is given, and nothing else', async () => {
    const place = { address: '127.0.0.1', port: await freePort() };
    const answer = async (path: string) => ({ status: 503, contentType: 'text/plain', body: `not ready: ${path}` });
    const server = await resident.serve(place, answer);
    const url = `http://127.0.0.1:${place.port}/readyz?verbose`;
    const [got, posted] = await Promise.all([fetch(url), fetch(url, { method: 'POST' })]);
    expect([got.status, await got.text(), posted.status]).toEqual([503, 'not ready: /readyz', 405]);
    await server.close();
  });

  it('says that a port is taken instead of ending the process', async () => {
    const place = { address: '127.0.0.1', port: await freePort() };
    const answer = async () => ({ status: 200, contentType: 'text/plain', body: '' });
    const server = await resident.serve(place, answer);
    await expect(resident.serve(place, answer)).rejects.toMatchObject({
      message: expect.stringContaining('EADDRINUSE'),
    });
    await server.close();
  });
});
