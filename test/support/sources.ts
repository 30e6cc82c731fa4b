import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface Source {
  /** Relative to src: `checks/peers/fdb-missing.ts`. */
  readonly file: string;
  readonly lines: number;
  /** Without comments, and with the content of strings taken out. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly typeOnly: boolean;
  /** A file of ours relative to src, or the name of a package or of a module of Node. */
  readonly target: string;
  readonly ours: boolean;
}

const SRC = join(import.meta.dirname, '../../src');
const IMPORT =
  /^(?:import|export)\b(?<type>\s+type\b)?[^;']*?(?:\bfrom\s*)?'(?<from>[^']+)'|\bimport\('(?<lazy>[^']+)'\)/gm;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/[^\n]*/g;
const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g;

/** Every source file of the program but the generated ones. */
export function sources(): readonly Source[] {
  const files = globSync('**/*.ts', { cwd: SRC }).filter((file) => !file.startsWith('generated/'));
  return files.sort().map(sourceOf);
}

function sourceOf(file: string): Source {
  const text = readFileSync(join(SRC, file), 'utf8');
  const uncommented = text.replaceAll(COMMENT, '');
  return {
    file,
    lines: text.trimEnd().split('\n').length,
    code: uncommented.replaceAll(STRING, "''"),
    imports: [...uncommented.matchAll(IMPORT)].map((match) => importOf(file, match)),
  };
}

function importOf(file: string, { groups = {} }: RegExpMatchArray): Import {
  const specifier = groups['from'] ?? groups['lazy'] ?? '';
  const ours = specifier.startsWith('.');
  const target = ours ? normalize(join(dirname(file), specifier)) : packageName(specifier);
  return { typeOnly: groups['type'] !== undefined, target, ours };
}

/** `@oclif/core/flags` → `@oclif/core`; a module of Node whole. */
function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
