import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const HEADER =
  '// Written by scripts/registry.ts from the folders of the repository. Adding a file there is all it takes.\n';

/** Root of the repository. */
export const ROOT = dirname(import.meta.dirname);

/** Writes src/generated from what the folders under `root` hold: commands, checks, faults and pages. */
export function generateRegistry(root: string = ROOT): void {
  write(root, 'commands.ts', commandsModule(filesOf(root, 'src/commands/**/*.ts')));
  write(root, 'checks.ts', checksModule(filesOf(root, 'src/checks/*/*.ts')));
  write(root, 'faults.ts', faultsModule(filesOf(root, 'src/drill/faults/*.ts')));
  write(root, 'pages.ts', pagesModule(root));
}

/** Files that match, relative to `root`, in an order that is the same on every machine. */
export function filesOf(root: string, pattern: string): readonly string[] {
  return globSync(pattern, { cwd: root }).sort();
}

/** Writes a file of src/generated, whole or not at all, and only when its text is another one. */
export function write(root: string, name: string, text: string): void {
  const path = join(root, 'src/generated', name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

/** `src/commands/leases/list.ts` → `leases:list`; `leases/index.ts` → `leases`. */
export function commandId(file: string): string {
  const parts = file.slice('src/commands/'.length, -'.ts'.length).split('/');
  return (parts.at(-1) === 'index' ? parts.slice(0, -1) : parts).join(':');
}

function commandsModule(files: readonly string[]): string {
  const lines = files.map((file) => `  '${commandId(file)}': () => import('${fromGenerated(file)}'),\n`);
  return `${HEADER}import type { Command } from '@oclif/core';

export type CommandLoader = () => Promise<{ readonly default: Command.Class }>;

export const commands: Readonly<Record<string, CommandLoader>> = {
${lines.join('')}};
`;
}

function checksModule(files: readonly string[]): string {
  const type = `import type { AnyCheck } from '../doctor/check.ts';\n`;
  return `${HEADER}${imports(files)}${type}\nexport const checks: readonly AnyCheck[] = ${list(files)};\n`;
}

function faultsModule(files: readonly string[]): string {
  const type = `import type { Fault } from '../drill/fault.ts';\n`;
  return `${HEADER}${imports(files)}${type}\nexport const faults: readonly Fault[] = ${list(files)};\n`;
}

function pagesModule(root: string): string {
  const pages = { en: pagesIn(root, 'docs/checks'), zh: pagesIn(root, 'docs/zh/checks') };
  const type = `Readonly<Record<'en' | 'zh', Readonly<Record<string, string>>>>`;
  return `${HEADER}export const pages: ${type} = ${JSON.stringify(pages, null, 1)};\n`;
}

function pagesIn(root: string, folder: string): Record<string, string> {
  const entries = filesOf(root, `${folder}/*.md`).map((file) => [idOf(file), readFileSync(join(root, file), 'utf8')]);
  return Object.fromEntries(entries);
}

function imports(files: readonly string[]): string {
  return files.map((file) => `import ${identifier(file)} from '${fromGenerated(file)}';\n`).join('');
}

function list(files: readonly string[]): string {
  return `[\n${files.map((file) => `  ${identifier(file)},\n`).join('')}]`;
}

function fromGenerated(file: string): string {
  return `..${file.slice('src'.length)}`;
}

/** `fdb-missing` → `fdbMissing`. A name that no identifier can be made of would break the registry: it is refused. */
function identifier(file: string): string {
  const id = idOf(file);
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id)) throw new Error(`${file}: the name is not kebab-case`);
  return id.replaceAll(/-(.)/g, (_match, letter: string) => letter.toUpperCase());
}

function idOf(file: string): string {
  return basename(basename(file, '.ts'), '.md');
}
