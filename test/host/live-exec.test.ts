import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/host/live-exec.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('running a program', () => {
  it('resolves whatever the exit code', async () => {
    expect(await runProgram(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('gives arguments as they are, never to a shell', async () => {
    expect((await runProgram(['printf', '%s|', '$(id)', 'a b', ';'])).stdout).toBe('$(id)|a b|;|');
  });

  it('hands down a clean environment', async () => {
    process.env['FCTL_SECRET'] = 'x';
    const { stdout } = await runProgram(['env']);
    delete process.env['FCTL_SECRET'];
    expect(stdout.split('\n').map((line) => line.split('=')[0])).toEqual(['PATH', 'LC_ALL', '']);
  });

  it('finds the programs of /sbin although the caller does not', async () => {
    expect((await runProgram(['ip', '-V'])).stdout).toMatch(/^ip utility, iproute2/);
  });

  it('gives input that the program does not read', async () => {
    expect((await runProgram(['true'], { input: 'x'.repeat(5_000_000) })).exitCode).toBe(0);
  });

  it('gives input to its end', async () => {
    expect((await runProgram(['wc', '-c'], { input: 'x'.repeat(5_000_000) })).stdout.trim()).toBe('5000000');
  });

  it('has no input to wait for', async () => {
    expect(await runProgram(['cat'])).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('says 128 and the signal of what was killed, as a shell does', async () => {
    expect((await runProgram(['sh', '-c', 'kill -9 $$'])).exitCode).toBe(137);
  });

  it('names a program that is not installed', async () => {
    await expect(runProgram(['fctl-nothing'])).rejects.toMatchObject({
      reason: 'missing-tool',
      message: 'fctl-nothing is not installed',
    });
  });

  it('names a program that may not be run', async () => {
    await expect(runProgram(['/etc/passwd'])).rejects.toMatchObject({ reason: 'permission' });
  });

  it('ends the descendants of a program that takes too long', async () => {
    const pidFile = `${await temporaryDirectory()}/pid`;
    const script = `sleep 60 & echo $! > ${pidFile}; wait`;
    await expect(runProgram(['sh', '-c', script], { timeoutMs: 300 })).rejects.toMatchObject({ reason: 'timeout' });
    const pid = (await readFile(pidFile, 'utf8')).trim();
    await expect.poll(() => isRunning(pid), { timeout: 3000 }).toBe(false);
  });

  it('kills a program that ignores SIGTERM', async () => {
    const script = 'trap "" TERM; while :; do sleep 0.1; done';
    await expect(runProgram(['sh', '-c', script], { timeoutMs: 200 })).rejects.toMatchObject({ reason: 'timeout' });
  });

  it('does not wait for a daemon that keeps the output open', async () => {
    const startedAt = performance.now();
    const run = runProgram(['sh', '-c', 'setsid sleep 6 & exit 0'], { timeoutMs: 200 });
    await expect(run).rejects.toMatchObject({ reason: 'timeout' });
    expect(performance.now() - startedAt).toBeLessThan(4000);
  });

  it('stops a program that prints without end', async () => {
    await expect(runProgram(['yes'])).rejects.toMatchObject({ reason: 'malformed' });
  });
});

async function isRunning(pid: string): Promise<boolean> {
  const { exitCode } = await runProgram(['sh', '-c', `kill -0 ${pid} && ! grep -q '^State:.Z' /proc/${pid}/status`]);
  return exitCode === 0;
}
