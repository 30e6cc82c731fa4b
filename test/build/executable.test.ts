import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const EXECUTABLE = join(import.meta.dirname, '../../dist/flannelctl');
const VERSION_LINE = `flannelctl/${packageJson.version} linux-${process.arch} node-${process.version}\n`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flannelctl-executable-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('the executable', () => {
  it.each(['version', '--version'])('answers %s with one line', async (word) => {
    expect(await run([EXECUTABLE, word])).toEqual({ code: 0, stdout: VERSION_LINE, stderr: '' });
  });

  it('prints its version as a document too', async () => {
    const { stdout } = await run([EXECUTABLE, 'version', '-o', 'json']);
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: 'flannelctl.dev/v1',
      kind: 'Version',
      tool: { name: 'flannelctl', version: packageJson.version },
      node: process.versions.node,
    });
  });

  it.each([['version'], ['checks'], ['--help']])('runs %s without any environment', async (...words) => {
    expect(await run([EXECUTABLE, ...words])).toMatchObject({ code: 0, stderr: '' });
  });

  it('runs for a uid that no passwd entry names', async () => {
    const asNobodyKnown = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups'];
    const open = join(folder, 'flannelctl');
    copyFileSync(EXECUTABLE, open);
    chmodSync(folder, 0o755);
    expect(await run([...asNobodyKnown, open, 'checks'], { PATH: '/usr/bin:/bin' })).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  it('runs where there is no /proc, no /dev and no /etc', async () => {
    const script = `mount -t tmpfs none /etc && mount -t tmpfs none /proc && mount -t tmpfs none /dev && exec "$0" checks`;
    const ended = await run(['unshare', '--mount', 'sh', '-c', script, EXECUTABLE], {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('says so in one sentence when the output cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const ended = await run([EXECUTABLE, 'checks'], {}, full);
    expect(ended).toMatchObject({
      code: 73,
      stderr: expect.stringMatching(/^Error: the output cannot be written: ENOSPC.*\n$/),
    });
  });

  it.each(['checks', 'version'])('takes it as no error when the reader of %s goes away', async (word) => {
    const script = `{ "$0" ${word}; echo "code $?" >&2; } | true`;
    const ended = await run(['bash', '-c', script, EXECUTABLE], { PATH: '/usr/bin:/bin' });
    expect(ended.stderr).toBe('code 0\n');
  });
});

describe('a wrong command line', () => {
  it('is exit 64 with the command that was meant', async () => {
    const ended = await run([EXECUTABLE, 'chekcs']);
    expect(ended).toEqual({
      code: 64,
      stdout: '',
      stderr: 'Error: "chekcs" is no command of flannelctl\nDid you mean "flannelctl checks"? See flannelctl --help.\n',
    });
  });

  it.each([['--json'], ['-o', 'json'], ['--output=json']])('is a document on stdout with %s', async (...format) => {
    const { code, stdout } = await run([EXECUTABLE, 'chekcs', ...format]);
    expect(code).toBe(64);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'Error', error: { code: 'usage', exitCode: 64 } });
  });

  it('names the flag that was meant', async () => {
    const { code, stderr } = await run([EXECUTABLE, 'checks', '--josn']);
    expect([code, stderr]).toEqual([64, expect.stringContaining('Did you mean --json?')]);
  });

  it('is not repeated to the terminal with what the terminal would obey', async () => {
    const { stderr } = await run([EXECUTABLE, '\u001b[2Jdoctor']);
    expect(stderr).not.toContain('\u001b');
  });

  it('shows no stack', async () => {
    const { stderr } = await run([EXECUTABLE, 'checks', '--nonsense']);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('a hostile environment', () => {
  it('gets no code into it by NODE_OPTIONS', async () => {
    const script = join(folder, 'foreign.cjs');
    writeFileSync(script, `require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'loaded'))}, '')`);
    await run([EXECUTABLE, 'checks'], { NODE_OPTIONS: `--require ${script}` });
    expect(existsSync(join(folder, 'loaded'))).toBe(false);
  });

  it('does not even open what OPENSSL_CONF names', async () => {
    const pipe = join(folder, 'openssl.cnf');
    execFileSync('mkfifo', [pipe]);
    // Opening a pipe that nobody writes to would wait for ever.
    expect(await run([EXECUTABLE, 'checks'], { OPENSSL_CONF: pipe })).toMatchObject({ code: 0 });
  });

  it.each(['NODE_COMPILE_CACHE', 'NODE_V8_COVERAGE', 'NODE_REDIRECT_WARNINGS', 'NODE_ICU_DATA'])(
    'gets no file read or written by %s',
    async (name) => {
      const ended = await run([EXECUTABLE, 'checks'], { [name]: join(folder, 'foreign') });
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('takes no certificate authority from NODE_EXTRA_CA_CERTS', async () => {
    const argv = [
      EXECUTABLE,
      'doctor',
      '--probe',
      'passive',
      '--timeout',
      '2s',
      '--etcd-endpoints',
      'https://127.0.0.1:1',
    ];
    const { stderr } = await run(argv, { NODE_EXTRA_CA_CERTS: join(folder, 'foreign.pem') });
    expect(stderr).toBe('');
  });

  it('does not switch off the verification of certificates', async () => {
    const { stderr } = await run([EXECUTABLE, 'checks'], { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(stderr).toBe('');
  });
});

function run(
  argv: readonly string[],
  env: Record<string, string> = {},
  stdout: 'pipe' | number = 'pipe',
): Promise<Ended> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', stdout, 'pipe'], timeout: 15_000 });
    const text = { stdout: '', stderr: '' };
    child.stdout?.on('data', (data) => {
      text.stdout += data;
    });
    child.stderr?.on('data', (data) => {
      text.stderr += data;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...text }));
  });
}
