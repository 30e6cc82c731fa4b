import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DrillNode } from '../../src/drill/fault.ts';
import { document, EXECUTABLE, first, flannelctl, inNode, report, shell } from './doctor-lab.ts';
import { type Lab, openLab } from './drill-lab.ts';

const NOBODY = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups'] as const;

let lab: Lab;
let node: DrillNode;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flannelctl-surroundings-'));
  lab = await openLab({ nodes: 2 });
  node = first(lab);
});
afterAll(async () => {
  await lab.remove();
  rmSync(folder, { recursive: true });
});

describe('doctor without root’s rights', () => {
  it('is undetermined, and says of each check that could not run why', async () => {
    const ended = await inNode(node, [...NOBODY, EXECUTABLE, 'doctor', '-o', 'json', '--probe', 'passive']);
    const { verdict, checks } = document(ended);
    expect([ended.exitCode, verdict]).toEqual([2, { status: 'undetermined', exitCode: 2 }]);
    const unknown = checks.filter(({ status }) => status === 'unknown');
    expect(unknown.length).toBeGreaterThan(10);
    expect(unknown.filter((check) => check.unknown?.reason !== 'permission' || check.summary === '')).toEqual([]);
  });

  it.each([
    ['en', 'NOTE Some of it only root may see: run it with sudo.'],
    ['zh', 'NOTE 其中一部分只有 root 才能查看：请用 sudo 运行。'],
  ])('says in %s what to do about it', async (lang, note) => {
    const { stdout, stderr } = await inNode(node, [...NOBODY, EXECUTABLE, 'doctor', '--lang', lang]);
    expect(stdout.split('\n')).toContain(note);
    expect(stderr).toBe('');
  });

  it('tells one reason once in short', async () => {
    const { stdout } = await inNode(node, [...NOBODY, EXECUTABLE, 'doctor', '-o', 'short', '--probe', 'passive']);
    expect(stdout.trimEnd().split('\n').length).toBeLessThan(4);
  });

  it('cannot bring an overlay up', async () => {
    expect((await inNode(node, [...NOBODY, EXECUTABLE, 'up', '--once'])).exitCode).toBe(77);
  });
});

describe('a healthy node', () => {
  it('is healthy without any environment', async () => {
    const { exitCode, stderr } = await inNode(node, ['env', '-i', EXECUTABLE, 'doctor']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('is healthy whatever home, path and temporary directory are said to be', async () => {
    const environment = ['HOME=/nowhere', 'PATH=/nowhere', 'TMPDIR=/nowhere', 'XDG_DATA_HOME=/dev/null'];
    expect((await inNode(node, ['env', '-i', ...environment, EXECUTABLE, 'doctor'])).exitCode).toBe(0);
  });

  it('is healthy when nothing may be sent; what sends does not apply', async () => {
    const { verdict, checks } = await report(node, '--probe', 'passive');
    const path = checks.filter(({ id }) => ['peers-unreachable', 'underlay-unreachable'].includes(id));
    expect(verdict).toEqual({ status: 'healthy', exitCode: 0 });
    expect(path.map(({ status }) => status)).toEqual(['not-applicable', 'not-applicable']);
  });

  it.each(['-o short', '--strict', '--fail-on warning', '--wait 5s', '--fix', '--peers 1'])(
    'is healthy at once with %s',
    async (words) => {
      const startedAt = performance.now();
      expect((await flannelctl(node, 'doctor', ...words.split(' '))).exitCode).toBe(0);
      expect(performance.now() - startedAt).toBeLessThan(4000);
    },
  );

  it('loads no code that the environment names', async () => {
    const evil = join(folder, 'evil.cjs');
    const ran = join(folder, 'ran');
    writeFileSync(evil, `require('fs').writeFileSync(${JSON.stringify(ran)}, '')`);
    writeFileSync(
      join(folder, 'evil.cnf'),
      `nodejs_conf = a\nopenssl_conf = a\n[a]\nproviders = b\n[b]\nx = c\n[c]\nmodule = ${evil}\n`,
    );
    const environment = [`NODE_OPTIONS=--require ${evil} --nonsense`, `OPENSSL_CONF=${folder}/evil.cnf`];
    const { exitCode } = await inNode(node, ['env', ...environment, EXECUTABLE, 'doctor', '--probe', 'passive']);
    const { exitCode: isThere } = await inNode(node, ['test', '-e', ran]);
    expect([exitCode, isThere]).toEqual([0, 1]);
  });
});

describe('standard output', () => {
  it('that is closed early is no error', async () => {
    const { stdout, stderr } = await inNode(node, [
      'bash',
      '-c',
      `${EXECUTABLE} doctor | head -1; echo \${PIPESTATUS[0]}`,
    ]);
    expect([stdout.split('\n').at(1), stderr]).toEqual(['0', '']);
  });

  it.each(['text', 'json', 'short'])('that is full is told of, as %s', async (format) => {
    await node.must(['ip', 'route', 'del', '10.244.2.0/24']);
    const { exitCode, stderr } = await shell(node, `flannelctl doctor --probe passive -o ${format} >/dev/full`);
    await node.must(['ip', 'route', 'add', '10.244.2.0/24', 'via', '10.244.2.0', 'dev', 'flannel.1', 'onlink']);
    expect([exitCode, stderr]).toEqual([
      73,
      expect.stringMatching(/^Error: the output cannot be written: ENOSPC.*\n$/),
    ]);
  });

  it('that was never open is no error', async () => {
    expect(await shell(node, 'flannelctl doctor --probe passive >&-')).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('a report file', () => {
  it('holds the document of the run', async () => {
    await flannelctl(node, 'doctor', '--probe', 'passive', '--report', 'json=/run/report.json');
    expect(document({ stdout: await node.readFile('/run/report.json') }).kind).toBe('DoctorReport');
  });

  it.each(['/nowhere/report.json', '/run', '/proc/report', '/etc/os-release/x'])(
    'at %s cannot be written, which is known before anything is done',
    async (path) => {
      await node.must(['ip', 'route', 'del', '10.244.2.0/24']);
      const argv = ['doctor', '--probe', 'passive', '--fix', '--yes', '--report', `json=${path}`];
      const { exitCode, stdout, stderr } = await flannelctl(node, ...argv);
      const route = await node.must(['ip', 'route', 'show', '10.244.2.0/24']);
      await node.must(['ip', 'route', 'add', '10.244.2.0/24', 'via', '10.244.2.0', 'dev', 'flannel.1', 'onlink']);
      expect({ exitCode, stdout, route }).toEqual({ exitCode: 73, stdout: '', route: '' });
      expect(stderr).toMatch(new RegExp(`^Error: ${path} cannot be written \\(E[A-Z]+\\)\n$`));
    },
  );

  it('may be a device or a pipe, which stays what it is', async () => {
    const script =
      'flannelctl doctor link --probe passive -o json --report short=/dev/null --report text=/dev/stderr; test -c /dev/null';
    const { exitCode, stderr } = await shell(node, script);
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^RESULT ok .*exit=0$/m)]);
  });
});
