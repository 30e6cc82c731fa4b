import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandId, generateRegistry } from '../../scripts/registry.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flannelctl-registry-'));
});

afterEach(() => rmSync(root, { recursive: true }));

function put(file: string, text = ''): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function generated(name: string): string {
  return readFileSync(join(root, 'src/generated', name), 'utf8');
}

describe('the registry', () => {
  it('is empty where the folders are', () => {
    generateRegistry(root);
    expect(generated('checks.ts')).toContain('export const checks: readonly AnyCheck[] = [\n];');
    expect(generated('faults.ts')).toContain('export const faults: readonly Fault[] = [\n];');
  });

  it('finds a check because its file is there', () => {
    put('src/checks/peers/fdb-missing.ts');
    generateRegistry(root);
    expect(generated('checks.ts')).toContain(`import fdbMissing from '../checks/peers/fdb-missing.ts';`);
  });

  it('has the same order wherever it is generated', () => {
    for (const id of ['route-stale', 'arp-missing', 'fdb-stale']) put(`src/checks/peers/${id}.ts`);
    put('src/checks/link/mtu-mismatch.ts');
    generateRegistry(root);
    const names = [...generated('checks.ts').matchAll(/^ {2}(\w+),$/gm)].map((match) => match[1]);
    expect(names).toEqual(['mtuMismatch', 'arpMissing', 'fdbStale', 'routeStale']);
  });

  it('loads a command only when it is called', () => {
    put('src/commands/leases/list.ts');
    generateRegistry(root);
    expect(generated('commands.ts')).toContain(`'leases:list': () => import('../commands/leases/list.ts'),`);
  });

  it('carries pages as they are, in both languages', () => {
    put('docs/checks/fdb-missing.md', '# fdb-missing\n"quoted" \\ `code`\n');
    put('docs/zh/checks/fdb-missing.md', '# fdb-missing\n含义\n');
    generateRegistry(root);
    const [, json = ''] = /= (\{[\s\S]*\});/.exec(generated('pages.ts')) ?? [];
    expect(JSON.parse(json)).toEqual({
      en: { 'fdb-missing': '# fdb-missing\n"quoted" \\ `code`\n' },
      zh: { 'fdb-missing': '# fdb-missing\n含义\n' },
    });
  });

  it('refuses a name that no identifier can be made of', () => {
    put('src/checks/peers/Fdb_Missing.ts');
    expect(() => generateRegistry(root)).toThrow('the name is not kebab-case');
  });
});

describe('the id of a command', () => {
  it('is its path', () => {
    expect(commandId('src/commands/drill/up.ts')).toBe('drill:up');
  });

  it('of an index is that of its folder', () => {
    expect(commandId('src/commands/leases/index.ts')).toBe('leases');
  });
});
