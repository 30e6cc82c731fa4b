import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type OutputFile, transform } from 'esbuild';
import { oclifStubs } from './oclif-stubs.ts';

/** A piece of the program that is loaded on its own, as CommonJS in ASCII. Names end in `.cjs`. */
export interface Chunk {
  readonly name: string;
  readonly code: string;
}

const SHARED: BuildOptions = {
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node24',
  charset: 'ascii',
  legalComments: 'none',
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"', 'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"' },
};

/**
 * Cuts the program at every `await import()`. Splitting keeps each module in one chunk only (two copies of errors.ts would
 * break instanceof) and exists for ES modules alone; what comes out is turned into CommonJS, whose code V8 can cache.
 */
export async function bundleChunks(root: string): Promise<readonly Chunk[]> {
  const { outputFiles = [] } = await build({
    ...SHARED,
    absWorkingDir: root,
    entryPoints: { cli: 'src/cli.ts', 'stand-in': 'src/stand-in.ts' },
    outdir: 'build/chunks',
    format: 'esm',
    splitting: true,
    outExtension: { '.js': '.cjs' },
    chunkNames: '[name]-[hash]',
    plugins: [oclifStubs()],
  });
  return Promise.all(outputFiles.map(toCommonJs));
}

async function toCommonJs(file: OutputFile): Promise<Chunk> {
  const name = basename(file.path);
  const { code, warnings } = await transform(file.text, {
    sourcefile: name,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    charset: 'ascii',
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 160,
    supported: { 'dynamic-import': false },
  });
  const [warning] = warnings;
  if (warning !== undefined) throw new Error(`${name}: ${warning.text} (${warning.location?.lineText.slice(0, 200)})`);
  return { name, code: escapeNonAscii(code) };
}

/** esbuild leaves regular expressions as they are, and chunks are read byte by byte. */
function escapeNonAscii(code: string): string {
  return code.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The executable's main, in one file: it may require modules of Node only. */
export async function bundleMain(root: string, userAgent: string): Promise<string> {
  const { outputFiles = [] } = await build({
    ...SHARED,
    absWorkingDir: root,
    entryPoints: ['bin/executable.ts'],
    format: 'cjs',
    define: { USER_AGENT: JSON.stringify(userAgent) },
  });
  return escapeNonAscii(outputFiles[0]?.text ?? '');
}

/** For bin/run.js, which requires the chunks as files. */
export function writeChunks(folder: string, chunks: readonly Chunk[]): void {
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  for (const { name, code } of chunks) writeFileSync(join(fresh, name), code);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}
