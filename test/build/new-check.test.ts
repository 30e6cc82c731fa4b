import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scaffold } from '../../scripts/new-check/scaffold.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const CHECK = { group: 'peers', id: 'moon-in-the-way' };
const run = promisify(execFile);

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flannelctl-new-check-'));
  for (const name of ['src', 'package.json', 'tsconfig.json']) {
    cpSync(join(REPOSITORY, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
});

afterEach(() => rmSync(root, { recursive: true }));

describe('the scaffold of a new check', () => {
  it('typechecks as it is', async () => {
    const files = scaffold(root, CHECK).filter((file) => file.endsWith('.ts'));
    writeFileSync(join(root, 'only.json'), JSON.stringify({ extends: './tsconfig.json', include: [], files }));
    const { stdout } = await run(join(root, 'node_modules/.bin/tsc'), ['-p', 'only.json'], { cwd: root });
    expect(stdout).toBe('');
  });

  it('fails its own test until somebody writes it', async () => {
    const file = scaffold(root, CHECK).find((name) => name.endsWith('.test.ts')) ?? '';
    const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', root, file];
    const failed = run(process.execPath, vitest, { cwd: root, env: { ...process.env, VITEST: '' } });
    await expect(failed).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('3 failed') });
  });

  it('leaves no file without a mark that a contract test trips over', () => {
    const texts = scaffold(root, CHECK).map((file) => readFileSync(join(root, file), 'utf8'));
    expect(texts.filter((text) => !text.includes('UNWRITTEN'))).toEqual([]);
  });

  it('does not overwrite a check that is there', () => {
    scaffold(root, CHECK);
    expect(() => scaffold(root, CHECK)).toThrow(/exists already; nothing was written/);
  });
});
